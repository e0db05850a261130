"""What an explanation drags along beside its class, as a section of its page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vaelab.metrics import Score
from vaelab.report.html import html
from vaelab.report.parts.confounders import chart_of
from vaelab.report.words import interval_of, number, value_of
from vaelab.runs.confounded import Confounder

_DASH = "\N{EN DASH}"


def confounded(found: Sequence[Confounder], method: str) -> dict[str, object]:
    """What the template draws: sentences, dots of each column by one method, and the numbers."""
    shown = [each for each in found if each.drags]
    named = method.replace("_", " ")
    return {
        "lead": (
            "How far a classifier of each column, an oracle, changes its mind between the two ends of a series, by "
            f"{named}: 0 is not at all, 1 is wholly. Hollow: the same of a classifier of the class that learnt from "
            "balanced data, in which the column says nothing of the class. Intervals are over images, for these "
            "trainings of the classifiers; other methods stand in confounders.csv."
        ),
        "verdicts": [each.verdict(method) for each in found],
        "sheet": _dots(shown, method) if shown else None,
        "alt": "How far each column moves with the series of the classifier, and of one trained on balanced data.",
        "head": [
            *("Column", ("Moves", "n"), ("By balanced data", "n"), ("Difference", "n"), ("Rises", "n")),
            *(("Told by its oracle", "n"), ("Class told, balanced", "n"), ("Own span", "n"), ("Balanced images", "n")),
        ],
        "rows": [_row(each, method) for each in shown],
    }  # fmt: skip


def _dots(shown: Sequence[Confounder], method: str) -> Figure:
    drags = [each.drags[method] for each in shown]
    return chart_of(
        {
            "columns": np.array([each.column for each in shown]),
            "moved": np.array([_numbers(drag.moved) for drag in drags]),
            "baseline": np.array([_numbers(drag.baseline_moved) for drag in drags]),
        }
    )


def _numbers(score: Score) -> tuple[float, float, float]:
    return (score.value, *(score.interval or (np.nan, np.nan)))


def _row(each: Confounder, method: str) -> list:
    drag, spans = each.drags[method], each.reached[method]
    name = html("<span>{{ column }}</span><small>rises: {{ value }}</small>", column=each.column, value=each.value)
    scores = [drag.moved, drag.baseline_moved, drag.difference, drag.toward]
    told = [(_cell(score, by_chance=True), "n") for score in (each.oracle, each.baseline)]
    span = " against ".join(number(value, digits=2) for value in spans)
    return [name, *((_cell(score), "n") for score in scores), *told, (span, "n"), (f"{each.num_balanced:,}", "n")]


def _cell(score: Score | None, by_chance: bool = False):
    """The value over its interval, and what chance is worth where that is to be known."""
    if score is None:
        return _DASH
    chance = f"by chance {number(score.null, digits=2)}" if by_chance and score.null is not None else ""
    return html(
        "<b>{{ value }}</b><small>{{ ends }}</small>{% if chance %}<small>{{ chance }}</small>{% endif %}",
        value=value_of(score), ends=interval_of(score), chance=chance,
    )  # fmt: skip
