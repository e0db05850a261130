"""Scores in tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from vaelab.report.html import html
from vaelab.report.measured import NamedScore
from vaelab.report.names import metric_words
from vaelab.report.words import interval_of, value_of

Table = Mapping[str, Mapping[str, NamedScore]]
"""Row -> metric -> score."""


def in_order(scores: Iterable[NamedScore], *, part: str = "", model: str = "", group: str = "") -> list[NamedScore]:
    """Those of one part (empty: all together), one model and one group, in the order in which they are read."""
    found = [score for score in scores if (score.part, score.model) == (part, model)]
    found = [score for score in found if group in ("", metric_words(score.metric).group)]
    return sorted(found, key=lambda score: (metric_words(score.metric).order, score.metric))


def error_table(what: str, rows: Table) -> Markup:
    """One row per model or channel, one column per error of reconstructions.

    Args:
        what: Heads the first column.
        rows: Row -> metric -> score; the first row has every metric that is shown.
    """
    first = next(iter(rows.values()))
    arrows = {"higher": "\N{UPWARDS ARROW}", "lower": "\N{DOWNWARDS ARROW}", "neither": ""}
    titles = {name: metric_words(name).title for name in first}
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


def with_interval(score: NamedScore, also: Sequence[str] = ()) -> Markup:
    """A value with its interval, and what else there is to say, below it."""
    below = "; ".join(filter(None, (interval_of(score), *also)))
    return html("<b>{{ value }}</b><small>{{ below }}</small>", value=value_of(score), below=below)


def _cell(score: NamedScore | None) -> tuple[str, str]:
    return ("" if score is None else with_interval(score), "n")
