"""Whether neighbours by code are neighbours as images."""

from __future__ import annotations

from vaelab.metrics._coranking import NUM_NEIGHBOURS, intrusions
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Ranks


@metric(
    "Trustworthiness",
    group="neighbourhoods",
    order=10,
    better="higher",
    source="Venna and Kaski 2001, https://doi.org/10.1007/3-540-44668-0_68",
)
def trustworthiness(image_ranks: Ranks, num_neighbours: int = NUM_NEIGHBOURS) -> list[Score]:
    """Whether the nearest codes belong to near images: 1 where they do, 0 where they are the farthest.

        T(k) = 1 - 2 / (N k (2N - 3k - 1)) * sum over images of [sum over its k nearest codes of max(0, r - k)]

    r is a neighbour's rank among all images by the distance of pixels. The part `area` is the mean over k from 1 to
    20 % of the images. Near codes of images that are unlike pull it down; near images whose codes are apart
    don't: see `continuity`. A random code has about 0.5. The interval is over images, neighbours held fixed.

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
    >>> trustworthiness(co_ranks(3 * x, x))[0].value
    1.0
    """
    return intrusions(image_ranks, 0, num_neighbours)
