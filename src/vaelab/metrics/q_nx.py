"""How many neighbours two spaces have in common, from the nearest to a fifth of all."""

from __future__ import annotations

from vaelab.metrics._coranking import common, neighbour_scores, shares, sizes
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Ranks

_STEPS = tuple(step * 10**power for power in range(4) for step in (1, 2, 5))


@metric(
    "Common neighbours",
    group="neighbourhoods",
    order=40,
    better="higher",
    source="Lee and Verleysen 2009, https://doi.org/10.1016/j.neucom.2008.12.017",
)
def q_nx(image_ranks: Ranks) -> list[Score]:
    """The share of the k nearest that codes and images have in common, as a mean over k from 1 to 20 % of the images.

        Q_NX(k) = 1 / (N k) * sum over images of |k nearest by code, and k nearest by pixels|

    The parts `k=1`, `k=2`, `k=5` and so on are points of the curve. By chance it is k / (N - 1).

    Args:
        image_ranks: as `vaelab.metrics` describes it.

    *Source*: Lee and Verleysen 2009, Quality assessment of dimensionality reduction: rank-based criteria
    (https://doi.org/10.1016/j.neucom.2008.12.017).

    >>> import numpy as np
    >>> from vaelab.metrics._coranking import co_ranks
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> [score.part for score in q_nx(co_ranks(x, x))]
    ['', 'k=1', 'k=2', 'k=5', 'k=10', 'k=20']
    """

    def parts():
        all_k, others = sizes(image_ranks), len(image_ranks) - 1
        yield "", common(image_ranks, 1 / len(all_k) / all_k), float(all_k.mean() / others), 1.0
        for k in (step for step in _STEPS if step <= all_k[-1]):
            within = shares(image_ranks[:, :k, 0], lambda ranks, near, k=k: ranks <= k)
            yield f"k={k}", within / k, k / others, 1.0

    return neighbour_scores(image_ranks, "share of neighbours", parts)
