"""The documentation is true: every Python block of a page runs, in order, and every command is one that exists."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import vaelab.cli
from conftest import ROOT
from vaelab import presets
from vaelab.cli import commands

PAGES = sorted([*ROOT.glob("docs/*.md"), ROOT / "README.md"])
NAMES = set(commands(vaelab.cli))


def code(page) -> str:
    """The page's Python blocks, each at the line where it stands, so that an error names the page's own line."""
    lines, inside = [], False
    for line in page.read_text().splitlines():
        starts, ends = line == "```python", inside and line == "```"
        lines.append(line if inside and not ends else "")
        inside = starts or (inside and not ends)
    return "\n".join(lines)


def shorter_digits(make=presets.digits):
    """The preset with a fiftieth of its passes."""
    digits = make()
    return replace(digits, training=replace(digits.training, num_epochs=3))


LONG = {"sklearn.md"}
RUN = [
    pytest.param(page, id=page.name, marks=[pytest.mark.slow] if page.name in LONG else [])
    for page in PAGES
    if code(page).strip()
]


@pytest.mark.parametrize("page", RUN)
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(presets, "digits", shorter_digits)
    monkeypatch.setitem(presets._PRESETS, "digits", shorter_digits)
    exec(compile(code(page), str(page), "exec"), {"__name__": page.stem})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_exist(page):
    named = re.findall(r"^(?: {4}|\$ )vaelab ([a-z-]+)", page.read_text(), flags=re.MULTILINE)
    assert set(named) <= NAMES


def test_the_readme_names_every_command_and_every_preset():
    readme = (ROOT / "README.md").read_text()
    listed = readme[readme.index("## Commands") :]
    assert all(f"`vaelab {name}" in listed for name in NAMES)
    assert all(f"`{name.replace('_', '-')}`" in listed for name in presets.presets())
