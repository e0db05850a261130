"""What measures of a classifier's answers have in common: how sure it was, whether it was right, and who is taken for
whom."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vaelab.errors import InputError

NUM_BINS = 10


class Curve(NamedTuple):
    """Images in bins of how sure the classifier is of them, those without images left out."""

    counts: np.ndarray
    """(bin,): images in each."""
    confidences: np.ndarray
    """(bin,): the mean of how sure it is."""
    shares: np.ndarray
    """(bin,): of how many it is right."""


def answers(class_probabilities: np.ndarray, label_classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(image,): the probability of the likeliest class, and whether the image is of that class.

    Raises:
        InputError: There is not one class for each image.
    """
    p = np.asarray(class_probabilities, np.float64)
    if len(p) != len(label_classes):
        raise InputError("label_classes", f"be one for each of {len(p)} images", len(label_classes))
    return p.max(1), p.argmax(1) == label_classes


def bins_of(confidences: np.ndarray, num_bins: int = NUM_BINS) -> np.ndarray:
    """(image,): the bin of each, from 0; all are equally wide from 0 to 1, and hold their upper end."""
    return np.searchsorted(np.linspace(0, 1, num_bins + 1)[1:-1], confidences)


def calibration(confidences: np.ndarray, right: np.ndarray, num_bins: int = NUM_BINS) -> Curve:
    """The calibration curve.

    >>> calibration(np.array([0.62, 0.68, 0.95]), np.array([True, False, True])).shares.tolist()
    [0.5, 1.0]
    """
    where = bins_of(confidences, num_bins)
    counts = np.bincount(where, minlength=num_bins)
    there = counts > 0
    sums = (np.bincount(where, values, num_bins)[there] for values in (confidences, right))
    confidences, shares = (total / counts[there] for total in sums)
    return Curve(counts[there], confidences, shares)


def confusion(label_classes: np.ndarray, image_classes: np.ndarray, num_classes: int) -> np.ndarray:
    """(class, class): how many images of the class are put into the other; images of no known class are left out.

    >>> confusion(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    known = label_classes >= 0
    pairs = label_classes[known] * num_classes + image_classes[known]
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
