"""How many neighbours two spaces have in common beyond chance."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._coranking import common, neighbour_scores, sizes
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Ranks


@metric(
    "Common neighbours beyond chance",
    group="neighbourhoods",
    order=50,
    better="higher",
    source="Lee et al. 2015, https://doi.org/10.1016/j.neucom.2014.12.095",
)
def r_nx(image_ranks: Ranks) -> list[Score]:
    """Common neighbours of codes and images on a scale from 0, chance, to 1, all of them; mean over k to 20 %.

        R_NX(k) = ((N - 1) Q_NX(k) - k) / (N - 1 - k),    Q_NX as in `q_nx`

    The whole is the plain mean over k from 1 to 20 % of the images. The part `near` weighs each k by 1 / k, which is
    the area under the curve over the logarithm of k, so that the nearest neighbours count most.

    Args:
        image_ranks: as `vaelab.metrics` describes it.

    *Source*: Lee et al. 2015, Multi-scale similarities in stochastic neighbour embedding, section 2.2, whose area is
    that of `near` with k to N - 2 (https://doi.org/10.1016/j.neucom.2014.12.095).

    >>> from vaelab.metrics._coranking import co_ranks
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> round(r_nx(co_ranks(x, x))[0].value, 9)
    1.0
    """

    def parts():
        k, others = sizes(image_ranks), len(image_ranks) - 1
        for part, weights in (("", np.ones(len(k))), ("near", 1 / k)):
            weights = weights / weights.sum() / (others - k)
            yield part, common(image_ranks, weights * others / k) - float((weights * k).sum()), 0.0, 1.0

    return neighbour_scores(image_ranks, "share of neighbours", parts)
