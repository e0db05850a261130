"""How much of an image an explanation touches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._series import NOT_FINITE, all_or_none
from vaelab.metrics._shapes import PerChannel


@per_image(
    "Share of the image that changes",
    group="explanations",
    order=130,
    better="lower",
    unit="share of pixels",
    counted=all_or_none,
    nothing=NOT_FINITE,
    source="Verma et al. 2020, https://arxiv.org/abs/2010.10596 (sparsity)",
)
def series_sparsity(changed_shares: PerChannel, channels: Sequence[str] = ()) -> np.ndarray:
    """The share of pixels that differ by more than 0.05 between an image's two extreme steps, and of each channel.

    Intensities run from 0 to 1, so 0.05 is a difference that one can see. One that reaches nothing may change nothing,
    so read it beside `reached_span`.

    Args:
        changed_shares: of each image and channel, 0 to 1.
        channels: The channels' names.

    *Source*: Verma et al. 2020, sparsity (https://arxiv.org/abs/2010.10596).

    >>> series_sparsity(np.array([[0.5], [0.25]]))[0].value
    0.375
    """
    return changed_shares.astype(np.float64)
