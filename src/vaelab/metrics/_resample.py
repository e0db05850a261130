"""How sure a number is: the bootstrap over images, for any statistic, and a fast way for means."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.special import stdtrit

from vaelab.metrics._score import Score

NUM_RESAMPLES = 1000
MOST_UNITS = 10_000


def interval(
    statistic: Callable[..., float], *arrays: np.ndarray, seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> tuple[float, float] | None:
    """The 95 % percentile bootstrap interval over images of any statistic of arrays.

    Images are drawn with replacement, as many as there are, and the statistic is computed of the rows drawn; so it is
    called once per resample. What is a mean, or a function of means, is faster by `interval_of_means`.

    Args:
        statistic: From arrays of resampled rows to a number.
        arrays: One row per image, equally many.
        seed: Of the resampling.
        num_resamples: How often; 1,000 fix the ends to about 3 % of the interval's width.

    Returns:
        (low, high); None for a single image, and where the statistic has no value of some resample.

    *Source*: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.

    >>> x = np.arange(100.0)
    >>> low, high = interval(lambda rows: float(np.median(rows)), x)
    >>> low < 49.5 < high
    True
    """
    count = len(arrays[0])
    if count < 2:
        return None
    random = np.random.default_rng(seed)
    rows = (random.integers(count, size=count) for _ in range(num_resamples))
    results = np.array([statistic(*(array[chosen] for array in arrays)) for chosen in rows])
    if not np.isfinite(results).all():
        return None
    low, high = np.quantile(results, [0.025, 0.975])
    return float(low), float(high)


def interval_of_means(
    values: np.ndarray, summary: Callable[[np.ndarray], np.ndarray] | None = None, seed: int = 0
) -> tuple[float, float] | None:
    """The same interval of a mean, or of a function of means, all resamples at once.

    1,000 resamples. Above 10,000 images, 10,000 random groups of images are resampled instead of the images themselves.

    Args:
        values: (image,) or (image, quantity).
        summary: From means (resample, quantity) to one number per resample; left out: the mean of one quantity.
        seed: Of the resampling.

    Returns:
        (low, high); None for a single image.

    *Source*: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.

    >>> low, high = interval_of_means(np.arange(100.0))
    >>> low < 49.5 < high
    True
    """
    if len(values) < 2:
        return None
    means = resampled_means(values, seed)
    results = means[:, 0] if summary is None else summary(means)
    low, high = np.quantile(results, [0.025, 0.975])
    return float(low), float(high)


def resampled_means(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """(resample, quantity): the means of (image, quantity) in each of those resamples.

    Args:
        values: Of one image or more.
        seed: Of the resampling; with the same one, and as many images, the same images are drawn.
    """
    values = values.reshape(len(values), -1).astype(np.float64)
    center = values.mean(0)
    sums, sizes = _grouped(values - center, seed)
    counts = _counts(len(sums), seed)
    return center + (counts @ sums) / (counts @ sizes)[:, None]


def jackknife(
    statistic: Callable[[np.ndarray], np.ndarray], units: np.ndarray, num_parts: int = 10, seed: int = 0
) -> np.ndarray | None:
    """How far the 95 % interval of each of some statistics goes to either side, by leaving out a part at a time.

        t * sqrt((G - 1) / G * sum over the G parts of (value without the part - mean of those values)^2)

    t is the 97.5 % quantile of Student's distribution with G - 1 degrees of freedom. It is for what is no mean and is
    biased by duplicates, which the bootstrap makes, such as information. A statistic with chance of its own widens it.

    Args:
        statistic: From row numbers to (score,) values.
        units: (image,) which images stay together, as numbers from 0.
        num_parts: G, at most the number of units.
        seed: Of the draw of the parts.

    Returns:
        (score,); None where there are fewer than two units.

    *Source*: Kott 2001, The delete-a-group jackknife, Journal of Official Statistics 17.

    >>> x = np.random.default_rng(0).normal(size=10_000)
    >>> bool(0.01 < jackknife(lambda rows: x[rows].mean(keepdims=True), np.arange(10_000))[0] < 0.04)  # 0.02
    True
    """
    num_units = int(units.max()) + 1
    num_parts = min(num_parts, num_units)
    if num_parts < 2:
        return None
    part = (np.random.default_rng(seed).permutation(num_units) % num_parts)[units]
    values = np.stack([statistic(np.flatnonzero(part != left_out)) for left_out in range(num_parts)])
    spread = (num_parts - 1) / num_parts * np.square(values - values.mean(0)).sum(0)
    return stdtrit(num_parts - 1, 0.975) * np.sqrt(spread)


def mean_score(
    values: np.ndarray, unit: str, *, part: str = "", null: float | None = None, ceiling: float | None = None
) -> Score:
    """The mean over images as a Score, with its bootstrap interval.

    >>> mean_score(np.ones(3), "dB").value
    1.0
    """
    return Score(
        part=part,
        value=float(values.mean(dtype=np.float64)),
        unit=unit,
        count=len(values),
        interval=interval_of_means(values),
        null=null,
        ceiling=ceiling,
    )


def _grouped(values: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums and sizes of at most MOST_UNITS random groups of images; as a rule each image is a group."""
    if len(values) <= MOST_UNITS:
        return values, np.ones(len(values))
    group = np.random.default_rng(seed).permutation(len(values)) % MOST_UNITS
    sums = np.stack([np.bincount(group, column, MOST_UNITS) for column in values.T], axis=1)
    return sums, np.bincount(group, minlength=MOST_UNITS).astype(np.float64)


@lru_cache(maxsize=1)
def _counts(num_units: int, seed: int) -> np.ndarray:
    """(resample, unit): how often each unit is drawn into each resample."""
    random = np.random.default_rng(seed)
    draws = (np.bincount(random.integers(num_units, size=num_units), minlength=num_units) for _ in range(NUM_RESAMPLES))
    return np.stack([draw.astype(np.float32) for draw in draws])
