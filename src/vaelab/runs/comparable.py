"""Whose scores by a metric may stand side by side, and why others may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vaelab.errors import InputError
from vaelab.evaluation import Measured
from vaelab.likelihoods import check_comparable, describe_space
from vaelab.metrics import Metric
from vaelab.runs.entries import Entry


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What cannot be compared."""

    metric: str
    """By its name."""
    entries: tuple[str, ...]
    """Whose score was left out."""
    reason: str
    """Why."""


def comparable(
    metric: Metric, entries: Sequence[Entry], first: Entry, measured: dict[str, list[Measured]], refused: list[Refusal]
) -> list[Entry]:
    """The entries whose scores may stand side by side; those that may not are added to the refused.

    A metric that can be computed of none of them, such as one that asks for labels, is passed over.
    """
    if all(m.score(metric.name) is None for found in measured.values() for m in found):
        return []
    reasons = {entry.name: _why_not(metric, entry, first, measured) for entry in entries}
    distinct = {*reasons.values()} - {""}
    if list(reasons.values()).count("") == 1 < len(entries):
        alone = distinct.pop() if len(distinct) == 1 else "no other can be set beside it"
        reasons = {name: reason or alone for name, reason in reasons.items()}
    for reason in dict.fromkeys(filter(None, reasons.values())):
        names = tuple(name for name, each in reasons.items() if each == reason)
        refused.append(Refusal(metric=metric.name, entries=names, reason=reason))
    return [entry for entry in entries if not reasons[entry.name]]


def _why_not(metric: Metric, entry: Entry, first: Entry, measured: dict[str, list[Measured]]) -> str:
    """Why the entry's score may not stand beside that of the first; empty: it may."""
    if metric.words.one_model:
        return "it sets the images of one model against each other, and says nothing of another model"
    for each in (entry, first):
        if any(m.score(metric.name) is None for m in measured[each.name]):
            return f"it cannot be computed of {each.name}"
    if entry is first:
        return ""
    ours, theirs = (each.run.model.likelihood for each in (entry, first))
    if metric.words.same_data:
        try:
            check_comparable({first.name: theirs, entry.name: ours})
        except InputError as error:
            return str(error)
    if "num_levels" in metric.needs and describe_space(ours) != describe_space(theirs):
        return f"its likelihood speaks of {describe_space(ours)}, and that of {first.name} of {describe_space(theirs)}"
    if metric.words.same_data or {"images", "num_levels"} & {*metric.needs}:
        return _other_pixels(entry, first)
    return ""


def _other_pixels(entry: Entry, first: Entry) -> str:
    """How the pixels that the entry's model was given differ from those of the first; empty: they do not."""
    ours, theirs = (e.run.experiment.data.binarize for e in (entry, first))
    if ours != theirs:
        return f"its pixels are others: data.binarize is {ours}, and {theirs} for {first.name}"
    if entry.run.intensity != first.run.intensity:
        return f"its pixels are others: intensities were scaled otherwise than for {first.name} (data.scaling)"
    return ""
