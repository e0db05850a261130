"""What a new class of images does to the codes of the others: of a comparison's runs, from the same step on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vaelab.data.conditions import matching
from vaelab.evaluation.drift import drift, kept_in_the_end, settled_step
from vaelab.runs.codes import read_codes
from vaelab.runs.entries import Entry


@dataclass(frozen=True, eq=False, kw_only=True)
class Drift:
    """How far an entry's codes of the images that are not of the new class moved since that came in."""

    entry: str
    """Its name."""
    later: tuple[str, ...]
    """The new class, as ``training.later`` names it."""
    since: int
    """The step after which it came in, in the first entry where it did."""
    steps: np.ndarray
    """(snapshot,), from that step on."""
    left: np.ndarray
    """(seed, snapshot): the share of variance that Procrustes leaves from the snapshot at that step."""
    kl: np.ndarray
    """(seed, snapshot): KL of the posteriors from those at that step, nats per image."""
    settled: tuple[int | None, ...]
    """By seed, steps from there until neighbourhoods stay as in the end, 0 if they did already; None: never."""


def drifts(entries: Sequence[Entry]) -> Iterator[Drift]:
    """Of each entry that kept codes of the same images while it was trained; nothing where no new class came in.

    Args:
        entries: In their order; of those without a new class it is what training would do to the codes anyway.
    """
    trainings = [entry.run.experiment.training for entry in entries]
    named = next((training for training in trainings if training.later and training.later_step), None)
    if named is None or named.later_step is None:
        return
    rows = None
    for entry in entries:
        if entry.stage:
            continue
        found = [read_codes(run) for run in entry.runs]
        if any(each is None or each.steps[0] > named.later_step for each in found):
            continue
        rows = found[0].rows if rows is None else rows  # pyright: ignore[reportOptionalMemberAccess]
        whole = entry.run.dataset.collection.table
        old = ~matching(whole, named.later, "training.later")[rows]
        series = [each.of(old) for each in found if each is not None and np.array_equal(each.rows, rows)]
        if (
            len(series) < len(found)
            or not old.any()
            or not all(np.array_equal(each.steps, series[0].steps) for each in series)
        ):
            continue
        steps = series[0].steps
        place = int(np.searchsorted(steps, named.later_step, "right")) - 1
        moved = [drift(each.loc[place:], each.scale[place:], 0) for each in series]
        settled = (settled_step(steps, kept_in_the_end(each.loc)) for each in series)
        yield Drift(
            entry=entry.name,
            later=named.later,
            since=int(steps[place]),
            steps=steps[place:],
            left=np.stack([each["left"] for each in moved]),
            kl=np.stack([each["kl"] for each in moved]),
            settled=tuple(None if step is None else max(0, step - int(steps[place])) for step in settled),
        )


def drift_rows(found: Sequence[Drift]) -> list[dict[str, object]]:
    """The lines of a comparison's table that say it, of the end of training."""
    rows = []
    for each in found:
        part = f"since step {each.since}, without {', '.join(each.later)}"
        reached = [step for step in each.settled if step is not None]
        values = {
            "drift_left": (each.left[:, -1].mean(), "share of variance"),
            "drift_kl": (each.kl[:, -1].mean(), "nats per image"),
            "settled_after": (np.mean(reached) if len(reached) == len(each.settled) else np.nan, "steps"),
        }
        rows += [
            {"entry": each.entry, "metric": name, "part": part, "value": value, "unit": unit, "better": "neither"}
            | {"num_seeds": len(each.left)}
            for name, (value, unit) in values.items()
        ]
    return rows
