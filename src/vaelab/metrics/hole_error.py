"""The reconstruction error in a hole of the training set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.metrics._hole import NOWHERE, by_region, of_inside, there
from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import PerImage, Regions


@per_image(
    "Error inside the hole",
    group="pixels",
    order=60,
    unit="squared intensity",
    better="lower",
    counted=there,
    whole=of_inside,
    parts="region_names",
    nothing=NOWHERE,
    source="study 4 of vaelab's own list",
)
def hole_error(squared_errors: PerImage, regions: Regions, region_names: Sequence[str] = ()) -> np.ndarray:
    """The mean squared error of a pixel, of images in a part of a known plane that no training image came from.

    The whole is of all images inside the hole; the parts are of those inside and outside, in each place: among single
    points, and along each line across the hole.

    Args:
        squared_errors: Mean over the pixels of each image.
        regions: Where each image lies: inside the hole, outside; then both of each place.
        region_names: Of the regions.

    *Source*: study 4 of vaelab's own list, where a model is asked to draw what it never saw.

    >>> inside = np.array([True, True, False])
    >>> regions = np.column_stack([inside, ~inside])
    >>> [(s.part, s.value) for s in hole_error(np.array([0.2, 0.4, 0.1]), regions, ("inside", "outside"))]
    [('', 0.30000000000000004), ('inside', 0.30000000000000004), ('outside', 0.1)]
    """
    return by_region(squared_errors, regions)
