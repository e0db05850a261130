"""Whether a classifier is right as often as it is sure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vaelab.metrics._calibration import NUM_BINS, answers, bins_of
from vaelab.metrics._metric import metric
from vaelab.metrics._numbers import units_of
from vaelab.metrics._resample import interval_of_means
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import Classes, Groups, Probabilities

_UNIT, _NUM_DRAWS, _DRAWN = "probability", 200, 20_000_000
BY_CHANCE = "by chance"


@metric(
    "Calibration error",
    group="features",
    order=84,
    better="lower",
    source="Guo et al. 2017, https://arxiv.org/abs/1706.04599, equation 3",
)
def calibration_error(
    class_probabilities: Probabilities,
    known_classes: Classes,
    groups: Groups | None = None,
    num_bins: int = NUM_BINS,
) -> Iterator[Score]:
    """How far, in the mean, the share of images told rightly lies from how sure the classifier was of them.

        sum over bins of (images in the bin / images) * |share told rightly - mean probability of the likeliest class|

    It is above 0 of few images even where every probability is true, so the interval is the bootstrap's reflected at
    the value, which takes that out. The part `by chance` is what such a classifier would score, by 200 draws of what is
    right, with the range of 95 % of them: a value beyond it is no chance.

    Args:
        class_probabilities: of each image; rows sum to 1.
        known_classes: where it belongs; below 0 where no training image was of its kind, which counts as an error.
        groups: which images belong together; the interval is then over groups.
        num_bins: Equally wide ones, from 0 to 1.

    Raises:
        InputError: There is not one class for each image.

    *Source*: Guo et al. 2017, On calibration of modern neural networks (https://arxiv.org/abs/1706.04599), equation 3;
    the range by chance: Broecker and Smith 2007, Increasing the reliability of reliability diagrams
    (https://doi.org/10.1175/WAF993.1).

    >>> p = np.array([[0.8, 0.2]] * 4)
    >>> round(calibration_error(p, np.array([0, 0, 0, 1]))[0].value, 6)
    0.05
    """
    confidences, right = answers(class_probabilities, known_classes)
    count = len(confidences)
    if not count or not np.isfinite(confidences).all():
        yield no_score("a probability is not finite" if count else "there is no image", _UNIT, count)
        return
    where = bins_of(confidences, num_bins)
    gaps = np.zeros((count, num_bins))
    gaps[np.arange(count), where] = right - confidences
    value = float(np.abs(gaps.sum(0)).sum() / count)
    yield Score(value=value, unit=_UNIT, count=count, interval=_reflected(value, gaps, groups), ceiling=1.0)
    order = np.lexsort((confidences,))
    sure, where = confidences[order], where[order]
    random = np.random.default_rng(0)
    guesses = (random.random(count) < sure for _ in range(max(20, min(_NUM_DRAWS, _DRAWN // count))))
    drawn = [np.abs(np.bincount(where, right - sure)).sum() / count for right in guesses]
    low, high = np.quantile(drawn, [0.025, 0.975])
    yield Score(part=BY_CHANCE, value=float(np.mean(drawn)), unit=_UNIT, count=count, interval=(low, high), ceiling=1.0)


def _reflected(value: float, gaps: np.ndarray, groups: np.ndarray | None) -> tuple[float, float] | None:
    """The bootstrap's ends, reflected at the value, and so far apart that they hold it."""
    units = units_of(groups, len(gaps))
    sums = np.zeros((units.max() + 1, gaps.shape[1] + 1))
    np.add.at(sums, units, np.column_stack([gaps, np.ones(len(gaps))]))
    ends = interval_of_means(sums, lambda means: np.abs(means[:, :-1]).sum(1) / means[:, -1])
    return ends and (max(0.0, min(value, 2 * value - ends[1])), max(value, 2 * value - ends[0]))
