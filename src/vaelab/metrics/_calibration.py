"""What measures of a classifier's answers have in common: how sure it was, whether it was right, and who is taken for
whom."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from vaelab.errors import InputError
from vaelab.metrics._kinds import mean_of_units
from vaelab.metrics._numbers import units_of

NUM_BINS = 10


class Curve(NamedTuple):
    """Images in bins of how sure the classifier is of them, those without images left out."""

    counts: np.ndarray
    """(bin,): images in each."""
    confidences: np.ndarray
    """(bin,): the mean of how sure it is."""
    shares: np.ndarray
    """(bin,): of how many it is right."""
    intervals: np.ndarray
    """(bin, 2): 95 % intervals of the shares."""


def answers(class_probabilities: np.ndarray, known_classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(image,): the probability of the likeliest class, and whether the image is of that class.

    Raises:
        InputError: There is not one class for each image.
    """
    p = np.asarray(class_probabilities, np.float64)
    if len(p) != len(known_classes):
        raise InputError("known_classes", f"be one for each of {len(p)} images", len(known_classes))
    return p.max(1), p.argmax(1) == known_classes


def bins_of(confidences: np.ndarray, num_bins: int = NUM_BINS) -> np.ndarray:
    """(image,): the bin of each, from 0; all are equally wide from 0 to 1, and hold their upper end."""
    return np.searchsorted(np.linspace(0, 1, num_bins + 1)[1:-1], confidences)


def calibration(
    confidences: np.ndarray, right: np.ndarray, groups: np.ndarray | None = None, num_bins: int = NUM_BINS
) -> Curve:
    """The calibration curve.

    Args:
        confidences: (image,): as `answers` gives them.
        right: (image,): likewise.
        groups: (image,): which images belong together; left out, each is on its own.
        num_bins: Equally wide ones, from 0 to 1.

    >>> calibration(np.array([0.62, 0.68, 0.95]), np.array([True, False, True])).shares.tolist()
    [0.5, 1.0]
    """
    where = bins_of(confidences, num_bins)
    there = np.unique(where)
    means = np.array([confidences[where == here].mean() for here in there])
    shares = np.array([right[where == here].mean() for here in there])
    ends = [share_interval(right[where == here], None if groups is None else groups[where == here]) for here in there]
    return Curve(np.bincount(where)[there], means, shares, np.array(ends).reshape(-1, 2))


def share_interval(right: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float]:
    """The 95 % interval of a share of few images, Wilson's: that of a share of 1 is no point, as the bootstrap's is.

    Args:
        right: (image,): whether it counts; one image at least.
        groups: (image,): which images belong together; the interval then holds that of the bootstrap over groups, too,
            and all from 0 to 1 where there is one group alone.

    *Source*: Wilson 1927, Probable inference, the law of succession, and statistical inference
    (https://doi.org/10.1080/01621459.1927.10502953).

    >>> [round(end, 3) for end in share_interval(np.ones(20))]
    [0.839, 1.0]
    """
    hits = np.asarray(right, np.float64)
    share, square = hits.mean(), ndtri(0.975) ** 2 / len(hits)
    middle = (share + square / 2) / (1 + square)
    reach = np.sqrt(square * share * (1 - share) + square**2 / 4) / (1 + square)
    low, high = float(max(0.0, middle - reach)), float(min(1.0, middle + reach))
    if groups is None:
        return min(low, float(share)), max(high, float(share))
    own = mean_of_units(hits, units_of(groups, len(hits)), "").interval or (0.0, 1.0)
    return min(low, own[0]), max(high, own[1])


def confusion(label_classes: np.ndarray, image_classes: np.ndarray, num_classes: int) -> np.ndarray:
    """(class, class): how many images of the class are put into the other; images of no known class are left out.

    >>> confusion(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    known = label_classes >= 0
    pairs = label_classes[known] * num_classes + image_classes[known]
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
