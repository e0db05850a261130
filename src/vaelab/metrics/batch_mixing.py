"""How far images of different plates, wells or batches lie among each other."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from vaelab.metrics._kinds import known_kinds, mean_of_units
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Groups

MOST_IMAGES = 5000


@metric(
    "Mixing of batches",
    group="batches",
    order=20,
    better="neither",
    source="Buttner et al. 2019, https://doi.org/10.1038/s41592-018-0254-1 (the same neighbours, as a ratio)",
)
def batch_mixing(codes: Codes, groups: Groups, num_neighbours: int = 15) -> list[Score]:
    """How many of the nearest codes are of other groups, as a share of how many would be if the groups were mixed.

        sum over images of (share of the nearest k codes that are of other groups)
        / sum over images of (share of all other images that are of other groups)

    1: the groups lie among each other as if dealt at random, which is the null; 0: each group lies on its own. Low
    mixing is a fault of the code if the groups hold the same kinds; where they do not, the kinds part them.

    The interval is over images. Of more than 5,000 images 5,000 are drawn.

    Args:
        codes: posterior means, taken as they are.
        groups: two plates, wells or batches, or more.
        num_neighbours: k, at most one less than there are images.

    Raises:
        InputError: Codes and groups do not go together, or a value is missing.

    *Source*: the neighbours that kBET tests: Buttner et al. 2019 (https://doi.org/10.1038/s41592-018-0254-1).

    >>> z = np.random.default_rng(0).normal(size=(200, 2))
    >>> batch_mixing(z + np.repeat([[0], [20]], 100, axis=0), np.repeat(["plate 1", "plate 2"], 100))[0].value
    0.0
    """
    known = known_kinds(codes, groups, what="groups", most=MOST_IMAGES)
    if not known.reason and len(known.kinds) <= num_neighbours:
        known = known.without(f"there are no more images than neighbours, {num_neighbours}")
    if known.reason:
        return known.nothing("ratio")
    kinds = known.kinds
    near = NearestNeighbors(n_neighbors=num_neighbours).fit(known.codes).kneighbors(return_distance=False)
    others = (kinds[near] != kinds[:, None]).mean(1)
    expected = ((len(kinds) - np.bincount(kinds)[kinds]) / (len(kinds) - 1)).mean()
    return [mean_of_units(others / expected, known.units, "ratio", null=1.0)]
