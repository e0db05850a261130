"""Scores in tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from markupsafe import Markup

from vaelab.evaluation import all_metrics
from vaelab.metrics import Score, Words
from vaelab.report.html import html
from vaelab.report.words import interval_of, value_of

Table = Mapping[str, Mapping[str, Score]]
"""Row -> metric -> score."""


@cache
def words_of(metric: str) -> Words:
    """What is said of a metric."""
    return all_metrics([metric])[metric].words


def summary_of(metric: str) -> str:
    """What a metric measures, in a sentence."""
    return first_sentence(all_metrics([metric])[metric])


def first_sentence(documented: object) -> str:
    """The first line of its docstring."""
    return (documented.__doc__ or "").partition("\n")[0]


def chosen(scores: Iterable[Score], *, part: str = "", model: str = "", group: str = "") -> list[Score]:
    """Those of one part (empty: all together), one model and one group, in the order in which they are listed."""
    found = [score for score in scores if (score.part, score.model) == (part, model)]
    return [score for score in found if group in ("", words_of(score.metric).group)]


def error_table(what: str, rows: Table) -> Markup:
    """One row per model or channel, one column per error of reconstructions.

    Args:
        what: Heads the first column.
        rows: Row -> metric -> score; the first row has every metric that is shown.
    """
    first = next(iter(rows.values()))
    arrows = {"higher": "\N{UPWARDS ARROW}", "lower": "\N{DOWNWARDS ARROW}", "neither": ""}
    titles = {name: words_of(name).title for name in first}
    head = [what, *((f"{titles[name]} {arrows[first[name].better]}", "n") for name in first)]
    body = [[row, *(_cell(scores.get(name)) for name in first)] for row, scores in rows.items()]
    units = "; ".join(f"{titles[name]} in {first[name].unit}" for name in first)
    return html(
        """{{ table(head, body, "Errors of reconstructions: " ~ units, "errors") }}
        {{ note(units ~ ". Small: 95 % interval.") }}""",
        head=head,
        body=body,
        units=units,
    )


def with_interval(score: Score, also: Sequence[str] = ()) -> Markup:
    """A value with its interval, and what else there is to say, below it."""
    below = "; ".join(filter(None, (interval_of(score), *also)))
    return html("<b>{{ value }}</b><small>{{ below }}</small>", value=value_of(score), below=below)


def _cell(score: Score | None) -> tuple[str, str]:
    return ("" if score is None else with_interval(score), "n")
