"""How many neighbours two spaces have in common, less what chance gives."""

from __future__ import annotations

from vaelab.metrics._coranking import NUM_NEIGHBOURS, common, neighbour_scores, shares, size_there_is, sizes
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Ranks


@metric(
    "Local continuity",
    group="neighbourhoods",
    order=60,
    better="higher",
    source="Chen and Buja 2009, https://doi.org/10.1198/jasa.2009.0111",
)
def lcmc(image_ranks: Ranks, num_neighbours: int = NUM_NEIGHBOURS) -> list[Score]:
    """The local continuity meta-criterion: the share of common neighbours of codes and images, less that by chance.

        LCMC(k) = Q_NX(k) - k / (N - 1),    Q_NX as in `q_nx`

    The part `area` is the mean over k from 1 to 20 % of the images.

    Args:
        image_ranks: as `vaelab.metrics` describes it.
        num_neighbours: k.

    Raises:
        InputError: k is more than were ranked.

    *Source*: Chen and Buja 2009, Local multidimensional scaling for nonlinear dimension reduction, graph drawing, and
    proximity analysis, section 3.2 (https://doi.org/10.1198/jasa.2009.0111).

    >>> import numpy as np
    >>> from vaelab.metrics._coranking import co_ranks
    >>> x = np.random.default_rng(0).normal(size=(101, 2))
    >>> round(lcmc(co_ranks(x, x))[0].value, 9)
    0.9
    """

    def parts():
        k, all_k, others = size_there_is(image_ranks, num_neighbours), sizes(image_ranks), len(image_ranks) - 1
        chance = k / others
        within = shares(image_ranks[:, :k, 0], lambda ranks, near: ranks <= k) / k
        yield "", within - chance, 0.0, 1 - chance
        chance = float(all_k.mean() / others)
        yield "area", common(image_ranks, 1 / len(all_k) / all_k) - chance, 0.0, 1 - chance

    return neighbour_scores(image_ranks, "share of neighbours", parts)
