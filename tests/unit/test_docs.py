"""The documentation leaves nothing out."""

from __future__ import annotations

import pkgutil
import re

import vaelab
from conftest import ROOT

REFERENCE = "\n".join(page.read_text() for page in ROOT.glob("docs/reference/*.md"))


def test_every_room_has_its_reference():
    shown = set(re.findall(r"^::: vaelab\.(\w+)$", REFERENCE, flags=re.MULTILINE))
    rooms = {found.name for found in pkgutil.iter_modules(vaelab.__path__)} - {"__main__", "cli"}
    assert shown == rooms


def test_the_floors_of_the_design_are_those_that_are_checked():
    contracts = (ROOT / "pyproject.toml").read_text()
    checked = re.findall(r'"([\w| ]+)"', re.search(r"layers = \[(.*?)\]", contracts, flags=re.DOTALL).group(1))
    rows = re.findall(r"^\| \d+ \| (.*?) \|", (ROOT / "docs" / "design.md").read_text(), flags=re.MULTILINE)
    described = [sorted(re.findall(r"`(\w+)`", row)) for row in rows]
    assert described == [sorted(layer.split(" | ")) for layer in reversed(checked) if layer != "__main__"]
