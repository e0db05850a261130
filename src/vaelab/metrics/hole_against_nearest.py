"""Whether a model draws what it never saw better than the nearest training image shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vaelab.metrics._hole import NOWHERE, named
from vaelab.metrics._metric import metric
from vaelab.metrics._resample import interval_of_means
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import PerImage, Regions

_UNIT = "times the error of the nearest training image"


@metric(
    "Error inside the hole over that of the nearest training image",
    group="pixels",
    order=63,
    better="lower",
    source="study 4 of vaelab's own list",
)
def hole_against_nearest(
    squared_errors: PerImage, nearest_errors: PerImage, regions: Regions, region_names: Sequence[str] = ()
) -> Iterator[Score]:
    """The mean error of reconstructions over that of the nearest training images: below 1 the model knows more.

    Both are of the same images, so that the interval is that of a paired ratio. The whole is of all images inside the
    hole, the parts are as of `hole_error`. 1 is what a model scores that remembers its training images and looks the
    nearest up.

    Args:
        squared_errors: Mean over the pixels of each image.
        nearest_errors: The same of the training image that has the least error.
        regions: Where each image lies: inside the hole, outside; then both of each place.
        region_names: Of the regions.

    *Source*: study 4 of vaelab's own list.

    >>> regions = np.array([[True, False], [False, True]])
    >>> found = hole_against_nearest(np.array([1.0, 3.0]), np.array([4.0, 2.0]), regions, ("inside", "outside"))
    >>> [(score.part, score.value) for score in found]
    [('', 0.25), ('inside', 0.25), ('outside', 1.5)]
    """
    for part, inside in zip(("", *named(regions, region_names)), (regions[:, 0], *regions.T), strict=True):
        yield replace(_ratio(squared_errors[inside], nearest_errors[inside]), part=part, null=1.0)


def _ratio(errors: np.ndarray, nearest: np.ndarray) -> Score:
    both = np.column_stack([errors, nearest])
    if not len(both) or not np.isfinite(both).all():
        return no_score(NOWHERE, _UNIT, len(both))
    if not nearest.any():
        return no_score("these are training images", _UNIT, len(both))
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = interval_of_means(both, lambda means: means[:, 0] / means[:, 1])
    value = float(errors.mean() / nearest.mean())
    known = ends if ends and np.isfinite(ends).all() else None
    return Score(value=value, unit=_UNIT, count=len(both), interval=known)
