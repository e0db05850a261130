"""What metrics of features have in common: the images and samples that can be used, and who lies near whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.spatial.distance import cdist

from vaelab.errors import InputError
from vaelab.metrics._coranking import chunks
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._truth import chosen

Kind = Literal["images", "samples"]
Found = tuple[float, tuple[float, float], float]
"""A distance, its interval, and what samples score that are all alike."""


def usable(images: np.ndarray, others: np.ndarray, what: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Both in float64, pair by pair in an order that follows from their values, a random draw of so many at most.

    Raises:
        InputError: There are not equally many, or not of the same features.
    """
    if images.shape != others.shape:
        raise InputError(what, f"be of the shape of image_features, {images.shape}", others.shape)
    rows = chosen(np.lexsort((*others.T, *images.T)), most)
    return images[rows].astype(np.float64), others[rows].astype(np.float64)


def reason_against(x: np.ndarray, y: np.ndarray, num_neighbours: int) -> str:
    """Why nothing can be measured; empty where it can."""
    if len(x) < 2:
        return "there are fewer than 2 images"
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return "a feature is not finite"
    if len(np.unique(x, axis=0)) > num_neighbours:
        return ""
    return f"no more than {num_neighbours} of the images differ in their features"


def distances(
    image_features: np.ndarray,
    sample_features: np.ndarray,
    reconstruction_features: np.ndarray | None,
    most: int,
    unit: str,
    measure: Callable[[np.ndarray, np.ndarray], Found],
) -> Iterator[Score]:
    """A distance of samples from images, and then of reconstructions, where they are there."""
    parts = {"": ("sample_features", sample_features)}
    if reconstruction_features is not None:
        parts["reconstructions"] = ("reconstruction_features", reconstruction_features)
    for part, (name, others) in parts.items():
        x, y = usable(image_features, others, name, most)
        if reason := reason_against(x, y, 1):
            yield replace(no_score(reason, unit, len(x)), part=part)
        else:
            value, interval, null = measure(x, y)
            yield Score(part=part, value=value, unit=unit, count=len(x), interval=interval, null=null)


def frechet(x: np.ndarray, y: np.ndarray) -> float:
    """The Frechet distance of two sets of features; of one image there is no covariance, which counts as 0."""
    roots = [_root(features) for features in (x, y)]
    together = np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum()
    variances = sum(np.square(root).sum() for root in roots)
    return float(np.square(x.mean(0) - y.mean(0)).sum() + max(0.0, variances - 2 * together))


def _root(features: np.ndarray) -> np.ndarray:
    """(feature, feature): the symmetric square root of the covariance."""
    centred = features - features.mean(0)
    values, vectors = np.linalg.eigh(centred.T @ centred / max(1, len(features) - 1))
    return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T


def reach(centres: np.ndarray, num_neighbours: int) -> np.ndarray:
    """(centre,): how far the k-th nearest of other features lies; 0 where there are not so many."""
    distinct, which = np.unique(centres, axis=0, return_inverse=True)
    if len(distinct) <= num_neighbours:
        return np.zeros(len(centres))
    found = np.empty(len(distinct))
    for rows in chunks(len(distinct), len(distinct)):
        found[rows] = np.partition(cdist(distinct[rows], distinct), num_neighbours, axis=1)[:, num_neighbours]
    return found[which.ravel()]


def held(points: np.ndarray, centres: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(point,): how many balls hold each; and (centre,): how many points each ball holds."""
    by_point, by_centre = np.empty(len(points), int), np.zeros(len(centres), int)
    for rows in chunks(len(points), len(centres)):
        inside = cdist(points[rows], centres) <= radii
        by_point[rows] = inside.sum(1)
        by_centre += inside.sum(0)
    return by_point, by_centre


def mean_of_balls(
    image_features: np.ndarray,
    sample_features: np.ndarray,
    num_neighbours: int,
    *,
    around: Kind,
    counted: Kind,
    most: int,
    unit: str,
    number: Callable[[np.ndarray], np.ndarray] = lambda counts: counts > 0,
    null: float | None = None,
    ceiling: float | None = None,
) -> Score:
    """The mean of a number of each image, or sample: left out, whether it lies in a ball, or its ball holds another.

    Those with the same features count once as neighbours, and have one ball.

    Args:
        image_features: (image, feature).
        sample_features: (image, feature).
        num_neighbours: A ball reaches as far as the neighbour of that rank among its own; 1 or more.
        around: What balls are around.
        counted: Of what the mean is taken.
        most: Images are looked at.
        unit: Of the mean.
        number: From how many balls hold it, or how many its ball holds.
        null: Of the score.
        ceiling: Of the score.
    """
    x, y = usable(image_features, sample_features, "sample_features", most)
    if reason := reason_against(x, y, num_neighbours):
        return no_score(reason, unit, len(x))
    centres, points = (x, y) if around == "images" else (y, x)
    if counted != around:
        centres = np.unique(centres, axis=0)
    by_point, by_centre = held(points, centres, reach(centres, num_neighbours))
    values = number(by_centre if counted == around else by_point)
    score = mean_score(values.astype(np.float64), unit, null=null, ceiling=ceiling)
    low, high = score.interval or (score.value, score.value)
    return replace(score, interval=(max(0.0, low), high))  # below 0 by rounding alone
