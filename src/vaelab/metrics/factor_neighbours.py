"""Whether the map of codes is a map of what is known."""

from __future__ import annotations

from vaelab.metrics._coranking import NUM_NEIGHBOURS, common, intruded, neighbour_scores, shares, size_there_is, sizes
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Ranks


@metric(
    "Neighbours in the known factors",
    group="factors",
    order=20,
    better="higher",
    source="Lee and Verleysen 2009, https://doi.org/10.1016/j.neucom.2008.12.017",
)
def factor_neighbours(factor_ranks: Ranks, num_neighbours: int = NUM_NEIGHBOURS) -> list[Score]:
    """The share of an image's 10 nearest, by the known factors, that are among its 10 nearest by code.

    As `knn_recall`, with the factors in the pixels' place, each divided by its standard deviation: whether neighbours
    on the map of codes are neighbours in the plane, or space, of what is known. The parts are `q_nx` (its area),
    `trustworthiness` and `continuity` of the same two spaces. A turned or stretched code that keeps the neighbours has
    the ceiling.

    Args:
        factor_ranks: as `vaelab.metrics` describes it.
        num_neighbours: k.

    Raises:
        InputError: k is more than were ranked.

    *Source*: Lee and Verleysen 2009, Quality assessment of dimensionality reduction: rank-based criteria
    (https://doi.org/10.1016/j.neucom.2008.12.017).

    >>> import numpy as np
    >>> from vaelab.metrics._coranking import co_ranks
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> factor_neighbours(co_ranks(-x, x))[0].value
    1.0
    """

    def parts():
        k, all_k, others = size_there_is(factor_ranks, num_neighbours), sizes(factor_ranks), len(factor_ranks) - 1
        yield "", shares(factor_ranks[:, :k, 1], lambda ranks, near: ranks <= k) / k, k / others, 1.0
        yield "q_nx", common(factor_ranks, 1 / len(all_k) / all_k), float(all_k.mean() / others), 1.0
        yield ("trustworthiness", *intruded(factor_ranks, 0, k))
        yield ("continuity", *intruded(factor_ranks, 1, k))

    return neighbour_scores(factor_ranks, "share of neighbours", parts)
