"""Whether neighbours as images are neighbours by code."""

from __future__ import annotations

from vaelab.metrics._coranking import NUM_NEIGHBOURS, intrusions
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Ranks


@metric(
    "Continuity",
    group="neighbourhoods",
    order=20,
    better="higher",
    source="Venna and Kaski 2001, https://doi.org/10.1007/3-540-44668-0_68",
)
def continuity(image_ranks: Ranks, num_neighbours: int = NUM_NEIGHBOURS) -> list[Score]:
    """Whether the nearest images have near codes: 1 where they do, 0 where those are the farthest.

    As `trustworthiness`, the two spaces in each other's place: the neighbours are the nearest images, and r is their
    rank by code. A code that tears apart what is alike has less.

    Args:
        image_ranks: as `vaelab.metrics` describes it.
        num_neighbours: k.

    Raises:
        InputError: k is more than were ranked.

    *Source*: Venna and Kaski 2001, Neighborhood preservation in nonlinear projection methods
    (https://doi.org/10.1007/3-540-44668-0_68).

    >>> import numpy as np
    >>> from vaelab.metrics._coranking import co_ranks
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> continuity(co_ranks(3 * x, x))[0].value
    1.0
    """
    return intrusions(image_ranks, 1, num_neighbours)
