"""Several models on the same held-out images: metrics with intervals, and paired differences from one of the models."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from vaelab.errors import unknown_name
from vaelab.evaluation import Measured, all_metrics
from vaelab.metrics import Metric
from vaelab.runs.agreements import Pairing, SharedLatents, agreement_rows, pairings, shared_latents
from vaelab.runs.comparable import Refusal, comparable
from vaelab.runs.differences import Interval, Line, line_of, trivial_lines
from vaelab.runs.drifts import Drift, drift_rows, drifts
from vaelab.runs.entries import Entry, common_rows, entries_of
from vaelab.runs.make import is_finished
from vaelab.runs.question import ask
from vaelab.runs.read import Run
from vaelab.runs.results import measure


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """Several entries on the same held-out images."""

    entries: tuple[Entry, ...]
    """In their order."""
    against: Entry
    """The one that all are set against."""
    rows: np.ndarray
    """(image,): which images, by their rows in the collection."""
    num_samples: int
    """Draws of the posterior per image."""
    seed: int
    """Of every draw."""
    lines: tuple[Line, ...]
    """Metric by metric, of the whole and then of its parts, entry by entry, trivial models last."""
    refused: tuple[Refusal, ...]
    """What could not be compared."""
    pairings: tuple[Pairing, ...] = ()
    """How far the codes of runs agree."""
    latents: tuple[SharedLatents, ...] = ()
    """Of entries with several seeds."""
    drifts: tuple[Drift, ...] = ()
    """Where a new class of images came in while a run was trained."""
    notes: tuple[str, ...]
    """What is worth knowing before the numbers are read, a sentence each."""
    measured: dict[str, list[Measured]]
    """Entry's name -> what was measured of each of its runs."""

    def reasons(self) -> dict[tuple[str, tuple[str, ...]], list[str]]:
        """(reason, entries) -> the metrics that were left out for it; where all entries were, none are named."""
        found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for left_out in self.refused:
            names = left_out.entries if len(left_out.entries) < len(self.entries) else ()
            found.setdefault((left_out.reason, names), []).append(left_out.metric)
        return found

    def table(self) -> pd.DataFrame:
        """One row per line, and one with the reason for each score that was left out."""
        rows = [_row(line) for line in self.lines]
        rows += [
            {"entry": name, "metric": left_out.metric, "words": f"not compared: {left_out.reason}"}
            for left_out in self.refused
            for name in left_out.entries
        ]
        rows += agreement_rows(self.pairings) + drift_rows(self.drifts)
        return pd.DataFrame(rows, columns=pd.Index(_COLUMNS))


_COLUMNS = [
    *("entry", "metric", "part", "model", "value", "low", "high", "num_seeds", "low_over_seeds", "high_over_seeds"),
    *("unit", "better", "count", "null", "ceiling", "difference", "difference_low", "difference_high"),
    *("difference_low_over_seeds", "difference_high_over_seeds", "words"),
]


def compare(
    runs: Sequence[Run],
    *,
    against: Path | str | None = None,
    metrics: Iterable[str] | None = None,
    beside: Iterable[str] = (),
    num_images: int | None = None,
    num_samples: int = 100,
    seed: int = 0,
    labels: str | None = None,
    factors: Sequence[str] = (),
    progress: bool = False,
) -> Comparison:
    """The runs on the images that all of them held out; what was measured before is read.

    The difference between two entries is the mean over images of the difference at each image, which is far surer than
    the difference of two means whose images are drawn apart. Several seeds of one experiment are one entry: its numbers
    are means over seeds, and a Student interval says how far these would move with other seeds.

    Args:
        runs: Two or more, of the same images.
        against: The folder of the run that others are set against; left out, the first.
        metrics: Names of those that are wanted; left out, all but those that need a classifier.
        beside: Names of others that are wanted beside all, such as those that need a classifier.
        num_images: A random draw of so many images; left out, all.
        num_samples: Draws of the posterior per image.
        seed: Of every draw.
        labels: A column of the runs' table, of kinds, to compare codes with.
        factors: Columns of known numbers, likewise.
        progress: Show a progress bar for each run.

    Raises:
        InputError: There are no held-out images in common, or an argument is not known or out of range.

    *Source*: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 13 and 16; Welch 1947, The
    generalization of Student's problem when several different population variances are involved.
    """
    wanted, entries, common, beside = all_metrics(metrics), entries_of(runs), common_rows(runs), [*beside]
    first, named = _chosen(entries, against), None if metrics is None else wanted
    measured: dict[str, list[Measured]] = {entry.name: [] for entry in entries}
    asked = partial(ask, rows=common, num_images=num_images, num_samples=num_samples, seed=seed)
    questions = [(e, r, asked(r, stage=e.stage, labels=labels, factors=factors)) for e in entries for r in e.runs]
    for entry, run, question in questions:
        if beside:
            measure(run, question, beside, progress)
        measured[entry.name].append(measure(run, question, named, progress))
    lines, refused = list[Line](), list[Refusal]()
    for metric in wanted.values():
        kept = comparable(metric, entries, first, measured, refused)
        for part in _parts(metric, kept, measured):
            base = measured[first.name]
            lines += [
                line_of(metric, part, entry, measured[entry.name], None if entry is first else base) for entry in kept
            ]
            lines += [line for entry in kept for line in trivial_lines(metric, part, entry, measured[entry.name])]
    rows = next(iter(measured.values()))[0].rows
    return Comparison(
        entries=tuple(entries),
        against=first,
        rows=rows,
        num_samples=num_samples,
        seed=seed,
        lines=tuple(lines),
        refused=tuple(refused),
        pairings=tuple(pairings(entries, first, measured, seed)),
        latents=tuple(shared_latents(entries, measured)),
        drifts=tuple(drifts(entries)),
        notes=tuple(_notes(entries, common)),
        measured=measured,
    )


def _chosen(entries: Sequence[Entry], against: Path | str | None) -> Entry:
    if against is None:
        return entries[0]
    place = Path(os.path.realpath(against))
    for entry in entries:
        if str(against) == entry.name or place in {entry.place, *(run.folder.resolve() for run in entry.runs)}:
            return entry
    raise unknown_name("against", str(against), [entry.name for entry in entries])


def _parts(metric: Metric, kept: Sequence[Entry], measured: dict[str, list[Measured]]) -> list[str]:
    """The whole, and channels or regions where the metric speaks of them; a latent of one model is not another's."""
    if not kept:
        return []
    scores = measured[kept[0].name][0].scores
    parts = [s.part for s in scores if s.metric == metric.name and s.part and not s.model]
    return ["", *(parts if {"images", "regions"} & {*metric.needs} else [])]


def _notes(entries: Sequence[Entry], common: np.ndarray) -> Iterable[str]:
    runs = [run for entry in entries for run in entry.runs]
    parts = [run.parts["held_out"] for run in runs]
    if any(len(part) != len(common) for part in parts):
        counts = _list([f"{entry.name} {len(entry.run.parts['held_out']):,}" for entry in entries])
        yield (
            f"The runs were divided otherwise. {len(common):,} images are held out in all of them, and these are "
            f"compared; held out in each: {counts}"
        )
    judged = [entry.name for entry in entries if entry.run.splits.held_out == "validation"]
    if judged:
        yield f"Of {_list(judged)} the images are the validation part, by which the weights were chosen"
    unfinished = [entry.name for entry in entries if not all(map(is_finished, entry.runs))]
    if unfinished:
        yield f"Training did not come to its end: {_list(unfinished)}"
    under = {e.name: tuple(c.column for c in e.run.facts.conditions) for e in entries}
    if len({*under.values()}) > 1:
        told = _list([f"{name} ({', '.join(columns)})" for name, columns in under.items() if columns])
        yield f"Told more than the image, which is an advantage: {told}"
    if any(len(entry.runs) == 1 for entry in entries):
        alone = [entry.name for entry in entries if len(entry.runs) == 1]
        who = "Each model was trained once" if len(alone) == len(entries) else f"Trained once: {_list(alone)}"
        yield f"{who}; another seed of the training may move a number by more than its interval over images shows"


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:6])
    return f"{shown} and {len(names) - 6} more" if len(names) > 6 else shown


def _row(line: Line) -> dict[str, object]:
    score, difference = line.score, line.difference
    row: dict[str, object] = {"entry": line.entry, "num_seeds": len(line.seeds)}
    row |= {name: getattr(score, name) for name in ("metric", "part", "model", "value", "unit", "better", "count")}
    row |= {"null": score.null, "ceiling": score.ceiling} | _ends("{}", score.interval)
    row |= _ends("{}_over_seeds", line.over_seeds) | {"words": line.why_not}
    if difference is not None:
        row |= {"difference": difference.value, "words": difference.words}
        row |= _ends("difference_{}", difference.interval)
        row |= _ends("difference_{}_over_seeds", difference.over_seeds)
    return row


def _ends(name: str, ends: Interval | None) -> dict[str, object]:
    return {} if ends is None else {name.format("low"): ends[0], name.format("high"): ends[1]}
