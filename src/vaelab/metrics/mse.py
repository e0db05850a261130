"""Squared error of the reconstructions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import Images


@per_image(
    "Mean squared error",
    group="pixels",
    order=10,
    unit="squared intensity",
    better="lower",
    source="https://scikit-learn.org/stable/modules/model_evaluation.html#mean-squared-error",
)
def mse(
    images: Images,
    reconstructions: Images,
    channels: Sequence[str] = (),
) -> np.ndarray:
    """The mean squared error of a pixel, of all channels together and of each.

    Args:
        images: In [0, 1].
        reconstructions: Of the same images.
        channels: The channels' names.

    *Source*: scikit-learn, mean_squared_error
    (https://scikit-learn.org/stable/modules/model_evaluation.html#mean-squared-error).

    >>> x = np.ones((1, 2, 1, 2))
    >>> [round(score.value, 6) for score in mse(x, x - np.array([[[[0.1]], [[0.3]]]]))]
    [0.05, 0.01, 0.09]
    """
    return np.square(images - reconstructions).mean((-2, -1), dtype=np.float64)
