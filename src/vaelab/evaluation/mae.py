"""Absolute error of the reconstructions."""

from __future__ import annotations

import numpy as np

from vaelab.evaluation._bootstrap import mean_score
from vaelab.evaluation._score import Score


def mae(absolute_errors: np.ndarray) -> Score:
    """The mean absolute error of a pixel, intensities in [0, 1].

    Args:
        absolute_errors: (image, channel), mean over pixels; one column for one channel.

    *Source*: scikit-learn, mean_absolute_error
    (https://scikit-learn.org/stable/modules/model_evaluation.html#mean-absolute-error).

    >>> mae(np.array([[0.25, 0.75]])).value
    0.5
    """
    source = "https://scikit-learn.org/stable/modules/model_evaluation.html#mean-absolute-error"
    return mean_score(absolute_errors.mean(1), "intensity", "lower", source)
