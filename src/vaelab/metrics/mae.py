"""Absolute error of the reconstructions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import Images


@per_image(
    "Mean absolute error",
    group="pixels",
    order=20,
    unit="intensity",
    better="lower",
    source="https://scikit-learn.org/stable/modules/model_evaluation.html#mean-absolute-error",
)
def mae(
    images: Images,
    reconstructions: Images,
    channels: Sequence[str] = (),
) -> np.ndarray:
    """The mean absolute error of a pixel, of all channels together and of each.

    Args:
        images: In [0, 1].
        reconstructions: Of the same images.
        channels: The channels' names.

    *Source*: scikit-learn, mean_absolute_error
    (https://scikit-learn.org/stable/modules/model_evaluation.html#mean-absolute-error).

    >>> mae(np.ones((1, 1, 2, 2)), np.full((1, 1, 2, 2), 0.5))[0].value
    0.5
    """
    return np.abs(images - reconstructions).mean((-2, -1), dtype=np.float64)
