"""Parts of the report drawn of several models, side by side."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from vaelab.errors import unknown_name
from vaelab.report.answers import by_experiment
from vaelab.report.look import Look
from vaelab.report.page import parts
from vaelab.report.parts import PicturePart
from vaelab.report.scores import first_sentence
from vaelab.runs.compare import Comparison
from vaelab.studies import Shown


class Drawn(NamedTuple):
    """One part of the report, of several models."""

    title: str
    note: str
    pictures: list[tuple[str, str, str]]
    """Of each model its name, the picture in place of an address, and what it shows in words."""
    asked: str
    """The question that it answers; empty: none."""
    answer: str
    """Of the first model, in a sentence."""


def side_by_side(comparison: Comparison, shown: Iterable[Shown]) -> Iterator[Drawn]:
    """Each part, drawn of the first seed of each experiment that has it.

    Raises:
        InputError: No picture has that name.
    """
    known = {name: part for name, part in parts().items() if isinstance(part, PicturePart)}
    looks = {name: Look(entry.run, seed=comparison.seed) for name, entry in by_experiment(comparison).items()}
    for each in shown:
        part = known.get(each.part.replace("-", "_"))
        if part is None:
            raise unknown_name("the picture", each.part, known)
        pictures, answer = [], ""
        for name in each.experiments or tuple(looks):
            if name in looks and part.applies(looks[name]):
                arrays = part.arrays(looks[name])
                png = part.picture(looks[name], arrays)
                answer = answer or f"In `{name}`, {part.says(arrays)}"
                source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
                pictures.append((name, source, f"{part.title or each.part}, of {name}."))
        if pictures:
            yield Drawn(part.title or each.part.capitalize(), first_sentence(part), pictures, each.asks, answer)
