"""The machine and the versions with which the run was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from vaelab.files import read_json
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, Part
from vaelab.report.words import plain


class Environment(Part):
    """Where the run took place, as it wrote it down."""

    section = "made"
    order = 30
    title = "Machine and versions"

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        try:
            found = read_json(look.run.folder / "environment.json")
        except (OSError, ValueError):
            found = {"environment.json": "not in the run's folder"}
        rows = [[html("{{ text|code }}", text=text) for text in pair] for pair in _flat(found)]
        return html('{{ table(["What", "Value"], rows, "Environment of the run", "settings") }}', rows=rows)


def _flat(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """(path, value) of every entry of nested mappings."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{where}.{name}" if where else str(name))
    elif where:
        yield where, plain(value)
