"""What metrics of a hole in the training set have in common: images inside it and outside, in several places."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vaelab.metrics._resample import NUM_RESAMPLES
from vaelab.metrics._shapes import PerImage, Regions

NOWHERE = "no image lies there, or a number of one is not finite"
INSIDE, OUTSIDE = 0, 1


def by_region(values: PerImage, regions: Regions) -> np.ndarray:
    """(image, region): an image's number in each region that it lies in, elsewhere not a number.

    Nothing is a number where that of an image is not finite: its mean would be wrong, or of fewer images in silence.
    """
    if not np.isfinite(values[regions.any(1)]).all():
        return np.full(regions.shape, np.nan)
    return np.where(regions, values[:, None], np.nan)


def of_inside(values: np.ndarray) -> np.ndarray:
    """(image,): of numbers by region, those of the first, which is the whole hole."""
    return values[:, INSIDE]


def there(column: np.ndarray) -> np.ndarray:
    """Those of a region's images."""
    return column[np.isfinite(column)]


def named(regions: Regions, names: Sequence[str]) -> Sequence[str]:
    """The regions' names; left out, they are numbered."""
    return names or tuple(map(str, range(regions.shape[1])))


def pairs(regions: Regions, names: Sequence[str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Place -> which images lie inside the hole there, and which outside; the whole first, under an empty name."""
    places = ("", *named(regions, names)[2::2])
    return {place: (regions[:, 2 * i], regions[:, 2 * i + 1]) for i, place in enumerate(places)}


def interval_of_two(
    inside: np.ndarray, outside: np.ndarray, summary: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> tuple[float, float] | None:
    """The 95 % percentile bootstrap interval of a number that follows from means inside and outside.

    Images inside and outside are drawn apart, so that none of the 1,000 resamples lacks either.

    Args:
        inside: (image, quantity).
        outside: (image, quantity).
        summary: From means (resample, quantity) of both to one number per resample.

    Returns:
        (low, high); None where either has one image, and where a resample has no number.

    *Source*: Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 8.3.
    """
    if min(len(inside), len(outside)) < 2:
        return None
    random = np.random.default_rng(0)
    both = (
        np.stack([values[random.integers(len(values), size=len(values))].mean(0) for _ in range(NUM_RESAMPLES)])
        for values in (inside, outside)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        results = summary(*both)
    if not np.isfinite(results).all():
        return None
    low, high = np.quantile(results, [0.025, 0.975])
    return float(low), float(high)
