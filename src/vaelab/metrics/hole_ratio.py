"""How many times as large the error is in a hole of the training set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vaelab.metrics._hole import NOWHERE, interval_of_two, pairs
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import PerImage, Regions

_UNIT = "times the error outside"


@metric(
    "Error inside the hole over that outside",
    group="pixels",
    order=61,
    better="lower",
    source="study 4 of vaelab's own list",
)
def hole_ratio(squared_errors: PerImage, regions: Regions, region_names: Sequence[str] = ()) -> Iterator[Score]:
    """The mean error of images inside the hole over that of images outside, in each place.

    1 says that what was never seen is drawn as well as what was. Images inside may be harder or easier by themselves:
    set it beside the same ratio of a model that was trained on the whole plane.

    Args:
        squared_errors: Mean over the pixels of each image.
        regions: Where each image lies: inside the hole, outside; then both of each place.
        region_names: Of the regions.

    *Source*: study 4 of vaelab's own list.

    >>> regions = np.array([[True, False], [False, True]])
    >>> next(iter(hole_ratio(np.array([0.5, 0.25]), regions, ("inside", "outside")))).value
    2.0
    """
    for part, (inside, outside) in pairs(regions, region_names).items():
        yield replace(_ratio(squared_errors, inside, outside), part=part)


def _ratio(errors: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> Score:
    both = inside | outside
    count = int(both.sum())
    if not (inside.any() and outside.any() and np.isfinite(errors[both]).all()):
        return no_score(NOWHERE, _UNIT, count)
    if not errors[outside].any():
        return no_score("there is no error outside", _UNIT, count)
    means = errors[inside, None], errors[outside, None]
    value = float(means[0].mean() / means[1].mean())
    ends = interval_of_two(*means, lambda ours, theirs: ours[:, 0] / theirs[:, 0])
    return Score(value=value, unit=_UNIT, count=count, interval=ends)
