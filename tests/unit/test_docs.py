"""The documentation leaves nothing out. `make docs`, which builds it, refuses what can't be found."""

from __future__ import annotations

import pkgutil

from mkdocs.config import load_config
from mkdocs.structure.files import Files

import vaelab
from conftest import ROOT
from docs import pages

ROOMS = {found.name for found in pkgutil.iter_modules(vaelab.__path__)} - {"__main__"}


def test_every_room_has_its_reference():
    config = load_config(str(ROOT / "mkdocs.yml"))
    config.plugins._current_plugin = None
    own = Files([])
    made = {file.src_uri: file.content_string for file in pages.on_files(own, config)}
    for room in ROOMS - {"cli"}:
        path = ROOT / "docs" / "reference" / f"{room}.md"
        page = made[f"reference/{room}.md"] if not path.exists() else path.read_text()
        assert f"\n::: vaelab.{room}\n" in page
    listed = next(entry["Reference"] for entry in pages.on_config(config).nav if "Reference" in entry)
    assert {f"reference/{room}.md" for room in ROOMS - {"cli"}} <= set(listed)


def test_every_page_stands_in_the_navigation():
    nav = str(load_config(str(ROOT / "mkdocs.yml")).nav)
    assert not [page.name for page in (ROOT / "docs").glob("*.md") if f"'{page.name}'" not in nav]


def test_the_design_shows_every_room_on_its_floor_with_its_first_sentence():
    shown = pages.on_page_markdown((ROOT / "docs" / "design.md").read_text())
    assert "[[" not in shown
    rows = dict(line.split(" | ")[1:] for line in shown.splitlines() if line.startswith("| ") and line[2].isdigit())
    assert rows.keys() == {f"`{room}`" for room in ROOMS}
    assert all(words.removesuffix(" |") for words in rows.values())
