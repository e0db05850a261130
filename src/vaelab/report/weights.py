"""What a comparison's models score over the two settings in which they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vaelab.plots.grid import grid
from vaelab.report.parts.settings import settings
from vaelab.report.scores import words_of
from vaelab.runs.compare import Comparison
from vaelab.runs.entries import Entry

_FEWEST = 4
_APART = ("data", "model", "objective", "training")


class Grid(NamedTuple):
    """One measure over two settings."""

    title: str
    chart: Figure
    alt: str


def grids(comparison: Comparison) -> list[Grid]:
    """For each of the few measures that stand above all others, its values over two settings.

    There are some only where four models or more differ in exactly two settings, both of them numbers.
    """
    two = _two_numbers(comparison.entries)
    return list(_drawn(comparison, two)) if two else []


def _two_numbers(entries: Sequence[Entry]) -> dict[str, list[float]]:
    """Setting -> the number that each entry has; empty unless these are two, and no two entries have both alike."""
    found = [{path: value for path, value, _ in settings(entry.run.experiment)} for entry in entries]
    differing = {
        path: [each.get(path, "") for each in found]
        for path in dict.fromkeys(path for each in found for path in each)
        if path.partition(".")[0] in _APART and len({each.get(path) for each in found}) > 1
    }
    if len(entries) < _FEWEST or len(differing) != 2:
        return {}
    try:
        two = {path: [float(str(value)) for value in values] for path, values in differing.items()}
    except ValueError:
        return {}
    return two if len(set(zip(*two.values(), strict=True))) == len(entries) else {}


def _drawn(comparison: Comparison, two: dict[str, list[float]]) -> Iterator[Grid]:
    (across, upward), names = two.values(), [path.rpartition(".")[2].replace("_", " ") for path in two]
    names = names if names[0] != names[1] else list(two)
    columns, rows = sorted(set(across)), sorted(set(upward))
    whole = {
        (line.score.metric, line.entry): line.score
        for line in comparison.lines
        if not line.score.part and not line.score.model
    }
    for metric in dict.fromkeys(name for name, _ in whole):
        words, unit = words_of(metric), next(s.unit for (name, _), s in whole.items() if name == metric)
        if not words.headline:
            continue
        values = np.full((len(rows), len(columns)), np.nan)
        for entry, x, y in zip(comparison.entries, across, upward, strict=True):
            if score := whole.get((metric, entry.name)):
                values[rows.index(y), columns.index(x)] = score.value
        if np.isfinite(values).any():
            drawn = grid(columns, rows, values, label=unit, axes=(names[0], names[1]))
            yield Grid(words.title, drawn, f"{words.title} over {names[0]} and {names[1]}")
