"""How well each image keeps its neighbours."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._coranking import NUM_NEIGHBOURS, UNRANKED, shares, size_there_is
from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import Codes, Mask, Ranks


def _ranked(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


@per_image(
    "Neighbours kept",
    group="neighbourhoods",
    order=5,
    unit="share of neighbours",
    better="higher",
    ceiling=1.0,
    null=lambda num_neighbours, image_ranks: num_neighbours / max(1, len(image_ranks) - 1),
    counted=_ranked,
    nothing=UNRANKED,
    source="Lee and Verleysen 2009, https://doi.org/10.1016/j.neucom.2008.12.017",
)
def knn_recall(
    codes: Codes, image_ranks: Ranks, drawn: Mask | None = None, num_neighbours: int = NUM_NEIGHBOURS
) -> np.ndarray:
    """The share of an image's 10 nearest, by pixels, that are among its 10 nearest by code.

    Image by image it is the local quality of a map: where on it neighbours can be believed. The mean over images is
    Q_NX(10). Images that were not drawn for the ranking have no number, and don't count.

    Args:
        codes: of all images.
        image_ranks: as `vaelab.metrics` describes it.
        drawn: which images were ranked; left out, all.
        num_neighbours: k.

    Raises:
        InputError: k is more than were ranked.

    *Source*: Lee and Verleysen 2009, Quality assessment of dimensionality reduction: rank-based criteria, equation of
    Q_NX (https://doi.org/10.1016/j.neucom.2008.12.017).

    >>> from vaelab.metrics._coranking import co_ranks
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> knn_recall(x, co_ranks(x, x))[0].value
    1.0
    """
    values = np.full(len(codes), np.nan)
    if image_ranks.shape[1]:
        k = size_there_is(image_ranks, num_neighbours)
        kept = shares(image_ranks[:, :k, 1], lambda ranks, near: ranks <= k) / k
        values[slice(None) if drawn is None else drawn] = kept
    return values
