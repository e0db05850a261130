"""How sure a number is: the bootstrap over images."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np

from vaelab.evaluation._score import Score

NUM_RESAMPLES = 1000
MOST_UNITS = 10_000


def interval(
    values: np.ndarray, summary: Callable[[np.ndarray], np.ndarray] | None = None, seed: int = 0
) -> tuple[float, float] | None:
    """The 95 % percentile bootstrap interval over images of a mean, or of a function of means.

    1,000 resamples. Above 10,000 images, 10,000 random groups of images are resampled instead of the images themselves.

    Args:
        values: (image,) or (image, quantity).
        summary: From means (resample, quantity) to one number per resample; left out: the mean of one quantity.
        seed: Of the resampling.

    Returns:
        (low, high); None for a single image.

    *Source*: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.

    >>> low, high = interval(np.arange(100.0))
    >>> low < 49.5 < high
    True
    """
    values = values.reshape(len(values), -1).astype(np.float64)
    if len(values) < 2:
        return None
    center = values.mean(0)
    sums, sizes = _grouped(values - center, seed)
    counts = _counts(len(sums), seed)
    means = center + (counts @ sums) / (counts @ sizes)[:, None]
    results = means[:, 0] if summary is None else summary(means)
    low, high = np.quantile(results, [0.025, 0.975])
    return float(low), float(high)


def mean_score(
    values: np.ndarray,
    unit: str,
    better: Literal["higher", "lower", "neither"],
    source: str,
    ceiling: float | None = None,
) -> Score:
    """The mean over images as a Score, with its bootstrap interval.

    >>> mean_score(np.ones(3), "dB", "higher", "").value
    1.0
    """
    value = float(values.mean(dtype=np.float64))
    return Score(
        value=value,
        unit=unit,
        better=better,
        count=len(values),
        interval=interval(values),
        ceiling=ceiling,
        source=source,
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
