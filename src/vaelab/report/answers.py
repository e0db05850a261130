"""What a study asked, answered in sentences: no word goes further than the intervals do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vaelab.metrics import Score, Way
from vaelab.report.words import interval_of, number, value_of
from vaelab.runs.compare import Comparison
from vaelab.runs.differences import Interval, Line
from vaelab.runs.entries import Entry, stage_name
from vaelab.runs.ranking import Ranking, ranking
from vaelab.studies import Asked


def answers(comparison: Comparison, questions: Iterable[Asked]) -> Iterator[tuple[str, str]]:
    """Each question with its answer; names stand between backticks."""
    own = {name: entry.name for name, entry in by_experiment(comparison).items()}
    short = {entry: name for name, entry in own.items()}
    for asked in questions:
        names = asked.experiments or tuple(own)
        missing = [name for name in names if name not in own]
        found = ranking(
            comparison, asked.metric, asked.part, [own[name] for name in names if name in own],
            own.get(asked.against, ""),
        )  # fmt: skip
        yield asked.text, " ".join(_sentences(found, own.get(asked.against, ""), short, missing))


def by_experiment(comparison: Comparison) -> dict[str, Entry]:
    """Name -> entry: the experiments' names, or the entries' where two experiments are called alike."""
    found = {stage_name(entry.run.experiment.name, entry.stage): entry for entry in comparison.entries}
    alike = len(found) < len(comparison.entries)
    return {entry.name: entry for entry in comparison.entries} if alike else found


def _sentences(found: Ranking, against: str, short: dict[str, str], missing: Sequence[str]) -> Iterator[str]:
    lines = found.lines
    if len(lines) < 2:
        reasons = list(dict.fromkeys(map(_short, found.reasons.values())))
        yield f"Cannot be compared: {'; '.join(reasons) or 'fewer than two of these runs are done'}."
        return
    base = next(line for line in lines if line.entry == found.against)
    others, base_name = [line for line in lines if line is not base], short.get(base.entry, base.entry)
    if len(others) == 1:
        yield _of_two(base, base_name, others[0], short.get(others[0].entry, others[0].entry))
    else:
        lead = f"Set against `{base_name}` ({_valued(base.score)})" if against == base.entry else (
            f"{_BEST[base.score.better]} is `{base_name}`, {_valued(base.score)}"
        )  # fmt: skip
        told: dict[str, list[str]] = {}
        for line in others:
            name = short.get(line.entry, line.entry)
            ends, shown = _ends_of(line, base)
            if shown:
                word = _word(line, base)
                told.setdefault(word, []).append(f"`{name}` by {_by(line, base, ends)}")
            else:
                told.setdefault("", []).append(f"`{name}`")
        rest = [f"{word}: {', '.join(names)}" for word, names in told.items() if word]
        if told.get(""):
            rest.append(f"no difference from it is seen for {', '.join(told[''])}")
        yield f"{lead}; {'; '.join(rest)}."
    for reason in dict.fromkeys(map(_short, found.reasons.values())):
        names = ", ".join(f"`{short.get(name, name)}`" for name, why in found.reasons.items() if _short(why) == reason)
        yield f"Not compared: {names} ({reason})."
    if missing:
        yield f"Not done: {', '.join(f'`{name}`' for name in missing)}."


def _short(reason: str) -> str:
    """Why, without what to do about it."""
    return reason.partition(". ")[0].removesuffix(".")


def _of_two(base: Line, base_name: str, other: Line, name: str) -> str:
    ends, shown = _ends_of(other, base)
    values = f"{value_of(other.score)} against {value_of(base.score)} {other.score.unit}"
    if not shown:
        within = f" ({_said(ends)})" if ends else ""
        return f"No difference is seen between `{name}` and `{base_name}`{within}: {values}."
    return f"`{name}` is {_word(other, base)} than `{base_name}` by {_by(other, base, ends)}: {values}."


_BEST: dict[Way, str] = {"higher": "Best", "lower": "Best", "neither": "Highest"}


def _ends_of(line: Line, base: Line) -> tuple[Interval | None, bool]:
    """The interval of the difference, over seeds where there are several, and whether a difference may be named.

    Where nothing is paired, two intervals must be apart, which asks for more than a difference needs.
    """
    difference = line.difference
    if difference is not None:
        return difference.over_seeds or difference.interval, difference.is_shown
    mine, other = line.score.interval, base.score.interval
    return None, mine is not None and other is not None and (mine[0] > other[1] or mine[1] < other[0])


def _word(line: Line, base: Line) -> str:
    way = "higher" if line.score.value > base.score.value else "lower"
    better = line.score.better
    return way if better == "neither" else "better" if way == better else "worse"


def _by(line: Line, base: Line, ends: Interval | None) -> str:
    moved = abs(line.score.value - base.score.value)
    if ends is None:
        return f"{number(moved, digits=2)} (their intervals are apart)"
    low, high = sorted(abs(end) for end in ends)
    near = (high - low) / 2 or None
    return f"{number(moved, near=near)} ({number(low, near=near)} to {number(high, near=near)})"


def _said(ends: Interval) -> str:
    near = (ends[1] - ends[0]) / 2 or None
    return f"{number(ends[0], near=near)} to {number(ends[1], near=near)}"


def _valued(score: Score) -> str:
    ends = interval_of(score)
    return f"{value_of(score)} {score.unit}" + (f", {ends}" if ends else "")
