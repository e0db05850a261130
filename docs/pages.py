"""Pages that follow from the package: the reference, a page for each room, and the table of floors in the design.

A room whose page has more to say, such as a picture, has a file in docs/reference/; every other page is made here.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]


def floors() -> list[list[str]]:
    """The rooms on each floor, from the ground up, as the contract in pyproject.toml has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return [layer.split(" | ") for layer in reversed(layers) if layer != "__main__"]


def rooms() -> list[str]:
    """Those that have a page: all but the command line."""
    return [room for floor in floors() for room in floor if room != "cli"]


def says(room: str) -> str:
    """The first sentence of the room's docstring."""
    path = ROOT / "src" / "vaelab" / room
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return doc.splitlines()[0].split(". ")[0].removesuffix(".")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Lists the pages of the reference, from the ground up."""
    for entry in config.nav or []:
        if "Reference" in entry:
            entry["Reference"] += [f"reference/{room}.md" for room in rooms()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds a page for each room that has no file of its own."""
    for room in rooms():
        if files.get_file_from_path(f"reference/{room}.md") is None:
            page = f"---\ntitle: {room.capitalize()}\n---\n\n::: vaelab.{room}\n"
            files.append(File.generated(config, f"reference/{room}.md", content=page))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Puts the table of floors where `[[floors]]` stands."""
    if "[[floors]]" not in markdown:
        return markdown
    rows = ["| floor | room | what it is |", "|---|---|---|"]
    for number, floor in enumerate(floors()):
        rows += [f"| {number} | `{room}` | {says(room).replace('|', chr(92) + '|')} |" for room in floor]
    return markdown.replace("[[floors]]", "\n".join(rows))
