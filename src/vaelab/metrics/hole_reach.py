"""The error that a decoder could reach in a hole of the training set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.metrics._hole import of_inside, there
from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import PerImage, Regions


@per_image(
    "Error inside the hole at the best code",
    group="pixels",
    order=64,
    unit="squared intensity",
    better="lower",
    counted=there,
    whole=of_inside,
    parts="region_names",
    nothing="codes of no image there were searched for",
    source="study 4 of vaelab's own list; Cremer et al. 2018, https://arxiv.org/abs/1801.03558",
)
def hole_reach(reached_errors: PerImage, regions: Regions, region_names: Sequence[str] = ()) -> np.ndarray:
    """The mean squared error of a pixel at the best code that was found for an image inside the hole.

    Best of the encoder's, and of those that are searched for without it; so it says how well the decoder could draw the
    image if it were asked rightly. The whole and the parts are as of `hole_error`.

    Args:
        reached_errors: Mean over the pixels of each image; not a number where no code was searched for.
        regions: Where each image lies: inside the hole, outside; then both of each place.
        region_names: Of the regions.

    *Source*: study 4 of vaelab's own list; the search is that of Cremer, Li and Duvenaud 2018, section 5
    (https://arxiv.org/abs/1801.03558).

    >>> regions = np.array([[True, False], [False, True], [True, False]])
    >>> hole_reach(np.array([0.5, 0.25, np.nan]), regions, ("inside", "outside"))[0].value
    0.5
    """
    return np.where(regions, reached_errors[:, None], np.nan)
