"""How far reconstructions cover their images in a hole of the training set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.metrics._hole import NOWHERE, by_region, of_inside, there
from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import PerImage, Regions


@per_image(
    "Overlap inside the hole",
    group="pixels",
    order=62,
    unit="intersection over union",
    better="higher",
    ceiling=1.0,
    counted=there,
    whole=of_inside,
    parts="region_names",
    nothing=NOWHERE,
    source="Jaccard 1912; study 4 of vaelab's own list",
)
def hole_iou(overlaps: PerImage, regions: Regions, region_names: Sequence[str] = ()) -> np.ndarray:
    """Pixels above 0.5 in image and reconstruction, over those above 0.5 in either, of images inside the hole.

    1 where both have none. The whole and the parts are as of `hole_error`.

    Args:
        overlaps: Of each image.
        regions: Where each image lies: inside the hole, outside; then both of each place.
        region_names: Of the regions.

    *Source*: Jaccard 1912, The distribution of the flora in the alpine zone; study 4 of vaelab's own list.

    >>> regions = np.array([[True, False], [False, True]])
    >>> [(s.part, s.value) for s in hole_iou(np.array([0.5, 1.0]), regions, ("inside", "outside"))]
    [('', 0.5), ('inside', 0.5), ('outside', 1.0)]
    """
    return by_region(overlaps, regions)
