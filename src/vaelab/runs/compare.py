"""Several models on the same held-out images: metrics with intervals, and paired differences from one of the models."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from vaelab.errors import unknown_name
from vaelab.evaluation import Measured, all_metrics
from vaelab.metrics import Metric, PerImage, Score, Way, interval_of_means
from vaelab.runs.comparable import Refusal, comparable
from vaelab.runs.entries import Entry, common_rows, entries_of
from vaelab.runs.make import is_finished
from vaelab.runs.read import Run
from vaelab.runs.results import ask, measure

Interval = tuple[float, float]
NOT_SHOWN = "no difference shown"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How much more one entry scores than the one that it is set against."""

    value: float
    """Mean over images, and over seeds where there are several."""
    interval: Interval | None
    """95 %, by bootstrap over images of the difference at each image; None for a single image, and where the metric is
    no mean over images."""
    over_seeds: Interval | None = None
    """95 %, from the spread of the seeds' means; None where either has one seed."""
    better: Way
    """Which way the metric is better."""

    @property
    def is_shown(self) -> bool:
        """Whether every interval that there is excludes 0."""
        known = [ends for ends in (self.interval, self.over_seeds) if ends is not None]
        return bool(known) and all(map(_excludes_0, known))

    @property
    def words(self) -> str:
        """What may be said of it, such as ``better``."""
        way = "higher" if self.value > 0 else "lower"
        word = way if self.better == "neither" else "better" if way == self.better else "worse"
        if self.is_shown:
            return word
        return f"{word} on these images, within the spread of seeds" if _excludes_0(self.interval) else NOT_SHOWN


@dataclass(frozen=True, kw_only=True)
class Line:
    """What one entry, or a trivial model fitted to its training images, scores by one metric."""

    entry: str
    """Its name."""
    score: Score
    """The mean over seeds, with the interval over images; its `model` names a trivial model."""
    seeds: tuple[float, ...]
    """What each seed scores."""
    over_seeds: Interval | None = None
    """95 % of the mean over seeds; None for one seed."""
    difference: Difference | None = None
    """From the entry that all are set against; None where there is none."""
    why_not: str = ""
    """Why there is none."""


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
    notes: tuple[str, ...]
    """What is worth knowing before the numbers are read, a sentence each."""

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
    num_images: int | None = None,
    num_samples: int = 100,
    seed: int = 0,
    progress: bool = False,
) -> Comparison:
    """The runs on the images that all of them held out; what was measured before is read.

    The difference between two entries is the mean over images of the difference at each image, which is far surer than
    the difference of two means whose images are drawn apart. Several seeds of one experiment are one entry: its numbers
    are means over seeds, and a Student interval says how far these would move with other seeds.

    Args:
        runs: Two or more, of the same images.
        against: The folder of the run that others are set against; left out, the first.
        metrics: Names of those that are wanted; left out, all.
        num_images: A random draw of so many images; left out, all.
        num_samples: Draws of the posterior per image.
        seed: Of every draw.
        progress: Show a progress bar for each run.

    Raises:
        InputError: There are no held-out images in common, or an argument is not known or out of range.

    *Source*: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 13 and 16; Welch 1947, The
    generalization of Student's problem when several different population variances are involved.
    """
    wanted, entries, common = all_metrics(metrics), entries_of(runs), common_rows(runs)
    first = _chosen(entries, against)
    questions = {
        run.folder: ask(run, rows=common, num_images=num_images, num_samples=num_samples, seed=seed) for run in runs
    }
    measured = {
        entry.name: [measure(run, questions[run.folder], wanted, progress) for run in entry.runs] for entry in entries
    }
    lines, refused = list[Line](), list[Refusal]()
    for metric in wanted.values():
        kept = comparable(metric, entries, first, measured, refused)
        for part in _parts(metric, kept, measured):
            base = measured[first.name]
            lines += [
                _line(metric, part, entry, measured[entry.name], None if entry is first else base) for entry in kept
            ]
            lines += [line for entry in kept for line in _trivial(metric, part, entry, measured[entry.name])]
    rows = next(iter(measured.values()))[0].rows
    return Comparison(
        entries=tuple(entries),
        against=first,
        rows=rows,
        num_samples=num_samples,
        seed=seed,
        lines=tuple(lines),
        refused=tuple(refused),
        notes=tuple(_notes(entries, common)),
    )


def over_seeds(values: Sequence[float], others: Sequence[float] | None = None) -> Interval | None:
    """The 95 % Student interval of the mean over seeds, or Welch's of the difference of two such means.

    Args:
        values: What each seed scores.
        others: What each seed of another experiment scores, for the difference values - others.

    Returns:
        (low, high); None where either has one seed.

    >>> [round(end, 3) for end in over_seeds([1.0, 2.0, 3.0])]
    [-0.484, 4.484]
    """
    groups = [np.asarray(group, np.float64) for group in (values, others) if group is not None]
    if min(map(len, groups)) < 2 or not all(np.isfinite(group).all() for group in groups):
        return None
    variances = [group.var(ddof=1) / len(group) for group in groups]
    mean = groups[0].mean() - (groups[1].mean() if len(groups) > 1 else 0)
    total = sum(variances)
    if total == 0:
        return float(mean), float(mean)
    freedom = total**2 / sum(v**2 / (len(g) - 1) for v, g in zip(variances, groups, strict=True))
    half = float(stdtrit(freedom, 0.975)) * math.sqrt(total)
    return float(mean - half), float(mean + half)


def _chosen(entries: Sequence[Entry], against: Path | str | None) -> Entry:
    if against is None:
        return entries[0]
    place = Path(os.path.realpath(against))
    for entry in entries:
        if str(against) == entry.name or place in {entry.place, *(run.folder.resolve() for run in entry.runs)}:
            return entry
    raise unknown_name("against", str(against), [entry.name for entry in entries])


def _parts(metric: Metric, kept: Sequence[Entry], measured: dict[str, list[Measured]]) -> list[str]:
    """The whole, and the channels where the metric speaks of them; a latent of one model is not that of another."""
    if not kept:
        return []
    scores = measured[kept[0].name][0].scores
    parts = [s.part for s in scores if s.metric == metric.name and s.part and not s.model]
    return ["", *(parts if "images" in metric.needs else [])]


def _line(metric: Metric, part: str, entry: Entry, found: list[Measured], base: list[Measured] | None) -> Line:
    scores = [s for m in found if (s := m.score(metric.name, part)) is not None]
    seeds = tuple(score.value for score in scores)
    means, others = _per_image(metric, part, found), None if base is None else _per_image(metric, part, base)
    score = scores[0]
    if len(scores) > 1:
        ends = interval_of_means(means) if means is not None and np.isfinite(means).all() else None
        score = replace(score, value=float(np.mean(seeds)), interval=ends)
    line = Line(entry=entry.name, score=score, seeds=seeds, over_seeds=over_seeds(seeds))
    if base is None:
        return line
    against = [s.value for m in base if (s := m.score(metric.name, part)) is not None]
    value, by_seeds = score.value - float(np.mean(against)), over_seeds(seeds, against)
    if means is None or others is None or len(means) != len(others):
        if by_seeds is None:
            return replace(line, why_not="no mean over images, so not paired")
        return replace(
            line, difference=Difference(value=value, interval=None, over_seeds=by_seeds, better=score.better)
        )
    if not (np.isfinite(means).all() and np.isfinite(others).all()):
        return replace(line, why_not="some images have no finite number")
    ends = interval_of_means(means - others)
    return replace(line, difference=Difference(value=value, interval=ends, over_seeds=by_seeds, better=score.better))


def _per_image(metric: Metric, part: str, found: Sequence[Measured]) -> np.ndarray | None:
    """(image,), float64: the mean over seeds of what the score is the mean of; None where it is no mean, or of none."""
    if not isinstance(metric, PerImage):
        return None
    name = f"{metric.name}/{part}" if part else metric.name
    columns = [metric.counted(m.per_image[name].to_numpy(np.float64)) for m in found]
    same = len({len(column) for column in columns}) == 1
    return np.mean(columns, axis=0) if same and len(columns[0]) else None


def _trivial(metric: Metric, part: str, entry: Entry, found: Sequence[Measured]) -> list[Line]:
    """What trivial models score that were fitted to the training images of the entry's first run."""
    scores = [s for s in found[0].scores if (s.metric, s.part) == (metric.name, part) and s.model]
    return [Line(entry=entry.name, score=score, seeds=(score.value,)) for score in scores]


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


def _excludes_0(ends: Interval | None) -> bool:
    return ends is not None and (ends[0] > 0 or ends[1] < 0)


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
