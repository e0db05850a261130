"""How much the steps change an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._series import NOT_FINITE, all_or_none
from vaelab.metrics._shapes import PerChannel


@per_image(
    "Change of the image",
    group="explanations",
    order=110,
    better="lower",
    unit="intensity",
    counted=all_or_none,
    nothing=NOT_FINITE,
    source="Verma et al. 2020, https://arxiv.org/abs/2010.10596 (proximity)",
)
def series_proximity(step_changes: PerChannel, channels: Sequence[str] = ()) -> np.ndarray:
    """The mean absolute difference of a pixel between an image's steps and its reconstruction, and of each channel.

    Of two explanations that reach as much, the one that changes less says more: what it leaves alone is not needed. One
    that reaches nothing may change nothing, so read it beside `reached_span`.

    Args:
        step_changes: of each image and channel, the mean over steps and pixels.
        channels: The channels' names.

    *Source*: Verma et al. 2020, proximity (https://arxiv.org/abs/2010.10596).

    >>> [s.value for s in series_proximity(np.array([[0.25, 0.75]]), ("DNA", "actin"))]
    [0.5, 0.25, 0.75]
    """
    return step_changes.astype(np.float64)
