"""What one entry of a comparison scores by one metric, and how surely that differs from another entry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from vaelab.evaluation import Measured
from vaelab.metrics import Metric, PerImage, Score, Way, interval_of_means
from vaelab.runs.entries import Entry

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


def line_of(metric: Metric, part: str, entry: Entry, found: list[Measured], base: list[Measured] | None) -> Line:
    """The line of an entry, whose runs scored this, set against those of another where they are given."""
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


def trivial_lines(metric: Metric, part: str, entry: Entry, found: Sequence[Measured]) -> list[Line]:
    """What trivial models score that were fitted to the training images of the entry's first run."""
    scores = [s for s in found[0].scores if (s.metric, s.part) == (metric.name, part) and s.model]
    return [Line(entry=entry.name, score=score, seeds=(score.value,)) for score in scores]


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


def _excludes_0(ends: Interval | None) -> bool:
    return ends is not None and (ends[0] > 0 or ends[1] < 0)
