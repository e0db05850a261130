"""Every setting of the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from markupsafe import Markup

from vaelab.catalogue import name_of
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, Part
from vaelab.report.words import plain
from vaelab.settings.fields import contract_of, field_docs


class Settings(Part):
    """Every setting with what it means, defaults too."""

    section = "made"
    order = 20
    title = "Every setting"

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        rows = [
            [html("{{ path|code }}", path=path), html("{{ value|code }}", value=value),
             html("<small>{{ meaning|prose }}</small>", meaning=meaning)]
            for path, value, meaning in settings(look.run.experiment)
        ]  # fmt: skip
        return html(
            """{{ note("Defaults are written out; another run with the same settings repeats this one.") }}
            {{ table(["Setting", "Value", "Meaning"], rows, "Every setting of the run", "settings") }}""",
            rows=rows,
        )


def settings(part: Any, where: str = "") -> Iterator[tuple[str, str, str]]:
    """(path, value, meaning) of every field of a tree of settings, those of a part after its name."""
    docs = field_docs(type(part))
    for field in fields(part):
        value, path = getattr(part, field.name), f"{where}.{field.name}" if where else field.name
        nested = is_dataclass(value)
        if not nested or contract_of(type(value)):
            yield path, name_of(value) if nested else plain(value), docs.get(field.name, "")
        if nested:
            yield from settings(value, path)
