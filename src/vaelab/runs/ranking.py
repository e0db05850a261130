"""Entries of a comparison in order, by one metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vaelab.evaluation import all_metrics
from vaelab.runs.comparable import Refusal, comparable
from vaelab.runs.compare import Comparison
from vaelab.runs.differences import Line, line_of


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Entries by one metric, each set against one of them."""

    lines: tuple[Line, ...]
    """Best first, or highest where neither way is better; the one that all are set against has no difference."""
    against: str
    """Its name; empty where there is none."""
    reasons: dict[str, str]
    """Entry -> why it cannot be compared."""


def ranking(
    comparison: Comparison, metric: str, part: str = "", names: Sequence[str] = (), against: str = ""
) -> Ranking:
    """Some entries of a comparison by one metric, set against one of them.

    Args:
        comparison: Of these and perhaps others.
        metric: By its name.
        part: Of the metric; empty: the whole.
        names: Of the entries; empty: all.
        against: The one that the others are set against; empty: the best of them.

    Raises:
        InputError: The metric is not known.
    """
    measure, measured = all_metrics([metric])[metric], comparison.measured
    entries = [entry for entry in comparison.entries if entry.name in (names or measured)]
    if not entries:
        return Ranking(lines=(), against="", reasons={})
    refused = list[Refusal]()
    first = next((entry for entry in entries if entry.name == against), entries[0])
    kept = comparable(measure, entries, first, measured, refused)
    reasons = {name: each.reason for each in refused for name in each.entries}
    if not kept and not reasons:
        reasons = {entry.name: "it cannot be computed of these" for entry in entries}
    for entry in kept:
        scores = [m.score(metric, part) for m in measured[entry.name]]
        if any(score is None or not math.isfinite(score.value) for score in scores):
            told = next((score.reason for score in scores if score is not None and score.reason), "it has no number")
            reasons[entry.name] = f"it has no part {part!r}" if None in scores else told
    alone = [line_of(measure, part, e, measured[e.name], None) for e in kept if e.name not in reasons]
    alone.sort(key=lambda line: line.score.value * (1 if line.score.better == "lower" else -1))
    if not alone:
        return Ranking(lines=(), against="", reasons=reasons)
    best = against if any(line.entry == against for line in alone) else alone[0].entry
    by_name = {entry.name: entry for entry in kept}
    lines = [
        line
        if line.entry == best
        else line_of(measure, part, by_name[line.entry], measured[line.entry], measured[best])
        for line in alone
    ]
    return Ranking(lines=tuple(lines), against=best, reasons=reasons)
