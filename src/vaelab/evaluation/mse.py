"""Squared error of the reconstructions."""

from __future__ import annotations

import numpy as np

from vaelab.evaluation._bootstrap import mean_score
from vaelab.evaluation._score import Score


def mse(squared_errors: np.ndarray) -> Score:
    """The mean squared error of a pixel, intensities in [0, 1].

    Args:
        squared_errors: (image, channel), mean over pixels; one column for one channel.

    *Source*: scikit-learn, mean_squared_error
    (https://scikit-learn.org/stable/modules/model_evaluation.html#mean-squared-error).

    >>> mse(np.array([[0.01, 0.03]])).value
    0.02
    """
    source = "https://scikit-learn.org/stable/modules/model_evaluation.html#mean-squared-error"
    return mean_score(squared_errors.mean(1), "squared intensity", "lower", source)
