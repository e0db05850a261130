"""Whether distances of codes are ordered as distances of images."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import rankdata

from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import Codes, Mask, Pixels

MOST_IMAGES = 1000
_NUM_RESAMPLES = 1000
_UNIT = "rank correlation"


@metric(
    "Rank correlation of distances",
    group="neighbourhoods",
    order=70,
    better="higher",
    source="Spearman 1904, https://doi.org/10.2307/1412159",
)
def distance_spearman(codes: Codes, pixels: Pixels, drawn: Mask | None = None) -> Score:
    """Whether images that are farther apart have codes that are farther apart: 1 is always, 0 is chance.

        the correlation of the ranks of |code - code'| and of |image - image'|, over all pairs of images

    It weighs every pair alike, so far ones make up nearly all of it: it speaks of the whole map, where the measures of
    neighbours speak of places. Of more than 1,000 images 1,000 are drawn, which is 499,500 pairs. Equal
    distances share their mean rank. The interval is over images, of which every pair moves two; ranks are held fixed.

    Args:
        codes: of all images.
        pixels: of those that were drawn.
        drawn: which these are; left out, all.

    *Source*: Spearman 1904, The proof and measurement of association between two things
    (https://doi.org/10.2307/1412159).

    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> distance_spearman(2 * x, x)[0].value
    1.0
    """
    codes = codes if drawn is None else codes[drawn]
    rows = np.sort(np.random.default_rng(0).permutation(len(codes))[:MOST_IMAGES])
    count = len(rows)
    spaces = [np.asarray(space[rows], np.float64) for space in (codes, pixels)]
    if count < 3 or not all(np.isfinite(space).all() and (space != space[0]).any() for space in spaces):
        reason = "distances need 3 images, finite, and not all the same by code or by pixels"
        return no_score(reason, _UNIT, count)
    pairs = np.triu_indices(count, 1)
    ranks = [rankdata(cdist(space, space)[pairs]) for space in spaces]
    first, second = ((r - r.mean()) / max(r.std(), 1e-300) for r in ranks)
    products = np.zeros((3, count, count), np.float32)
    for whole, part in zip(products, (first * second, first**2, second**2), strict=True):
        whole[pairs] = part
    value = float(np.mean(first * second))
    return Score(value=value, unit=_UNIT, count=count, interval=_interval(products), null=0.0, ceiling=1.0)


def _interval(products: np.ndarray) -> tuple[float, float] | None:
    """Over images: an image that is drawn twice has each of its pairs twice."""
    count = products.shape[1]
    random = np.random.default_rng(0)
    draws = [np.bincount(random.integers(count, size=count), minlength=count) for _ in range(_NUM_RESAMPLES)]
    times = np.array(draws, np.float32)
    sums = np.array([((times @ product) * times).sum(1, dtype=np.float64) for product in products])
    low, high = np.quantile(sums[0] / np.sqrt(np.maximum(sums[1] * sums[2], 1e-300)), [0.025, 0.975])
    return float(low), float(high)
