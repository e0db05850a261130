"""By how much neighbours change their ranks."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._coranking import NUM_NEIGHBOURS, neighbour_scores, shares, size_there_is, sizes
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Ranks


@metric(
    "Mean relative rank error",
    group="neighbourhoods",
    order=30,
    better="lower",
    source="Lee and Verleysen 2009, https://doi.org/10.1016/j.neucom.2008.12.017",
)
def mrre(image_ranks: Ranks, num_neighbours: int = NUM_NEIGHBOURS) -> list[Score]:
    """How far the ranks of neighbours by code differ from those as images, and the other way round: 0 is not at all.

        sum over an image's k nearest of |r - j| / j,  divided by  sum over j = 1..k of |N - 2j| / j

    The j-th neighbour in one space has rank r in the other; the divisor is what reversed ranks would give. The part
    `of codes` takes the nearest codes, `of images` the nearest images, and the whole is the mean of both. The first
    neighbours count most. The part `area` is the mean over k from 1 to 20 % of the images.

    Args:
        image_ranks: as `vaelab.metrics` describes it.
        num_neighbours: k.

    Raises:
        InputError: k is more than were ranked.

    *Source*: Lee and Verleysen 2009, Quality assessment of dimensionality reduction: rank-based criteria, section 4.2
    (https://doi.org/10.1016/j.neucom.2008.12.017).

    >>> from vaelab.metrics._coranking import co_ranks
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> mrre(co_ranks(3 * x, x))[0].value
    0.0
    """

    def parts():
        k, count, all_k = size_there_is(image_ranks, num_neighbours), len(image_ranks), sizes(image_ranks)
        j = np.arange(1, image_ranks.shape[1] + 1)
        divisors = np.cumsum(np.abs(count - 2 * j) / j)
        at_k = np.where(j <= k, 1 / divisors[k - 1], 0)
        over_k = np.r_[np.cumsum((1 / divisors[all_k - 1])[::-1])[::-1], np.zeros(len(j) - len(all_k))] / len(all_k)
        by_chance = np.array([np.abs(np.arange(1, count) - rank).mean() / rank for rank in j])

        def errors(way: int, weights: np.ndarray) -> np.ndarray:
            return shares(image_ranks[:, :, way], lambda ranks, near: np.abs(ranks - near) * (weights / near))

        of_codes, of_images = errors(0, at_k), errors(1, at_k)
        null = float((by_chance * at_k).sum())
        yield "", (of_codes + of_images) / 2, null, None
        yield "of codes", of_codes, null, None
        yield "of images", of_images, null, None
        yield "area", (errors(0, over_k) + errors(1, over_k)) / 2, float((by_chance * over_k).sum()), None

    return neighbour_scores(image_ranks, "share of the most", parts)
