"""What a comparison's models score over the two settings in which they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vaelab.experiment import Experiment
from vaelab.plots.grid import grid
from vaelab.report.scores import words_of
from vaelab.runs.compare import Comparison
from vaelab.settings.record import to_record

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
    found = {entry.name: entry.run.experiment for entry in comparison.entries if not entry.stage}
    two = _two_numbers([*found.values()])
    return list(_drawn(comparison, [*found], two)) if two else []


def _two_numbers(experiments: Sequence[Experiment]) -> dict[str, list[float]]:
    """Setting -> the number that each has; empty unless these are two, and no two experiments have both alike."""
    found = [dict(_leaves(to_record(each))) for each in experiments]
    differing = {
        path: [each.get(path) for each in found]
        for path in dict.fromkeys(path for each in found for path in each)
        if path.partition(".")[0] in _APART and len({each.get(path) for each in found}) > 1
    }
    if len(experiments) < _FEWEST or len(differing) != 2 or not all(map(_are_numbers, differing.values())):
        return {}
    two = {path: [float(str(value)) for value in values] for path, values in differing.items()}
    return two if len(set(zip(*two.values(), strict=True))) == len(experiments) else {}


def _leaves(record: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of each setting; one of several parts is called by its kind."""
    if isinstance(record, dict):
        for name, value in record.items():
            yield from _leaves(value, f"{path}.{name}" if path else name)
    elif isinstance(record, list) and record and all(isinstance(each, dict) for each in record):
        for each in record:
            yield from _leaves(each, f"{path}.{each.get('kind', '')}")
    else:
        yield path, record if isinstance(record, int | float | str) else repr(record)


def _are_numbers(values: Sequence[object]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _drawn(comparison: Comparison, entries: Sequence[str], two: dict[str, list[float]]) -> Iterator[Grid]:
    (across, upward), names = two.values(), [_words(path) for path in two]
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
        for entry, x, y in zip(entries, across, upward, strict=True):
            if score := whole.get((metric, entry)):
                values[rows.index(y), columns.index(x)] = score.value
        if np.isfinite(values).any():
            drawn = grid(columns, rows, values, label=unit, axes=(names[0], names[1]))
            yield Grid(words.title, drawn, f"{words.title} over {names[0]} and {names[1]}")


def _words(path: str) -> str:
    """What a setting is called on an axis."""
    return path.partition(".")[2].removeprefix("penalties.").replace(".", " ").replace("_", " ")
