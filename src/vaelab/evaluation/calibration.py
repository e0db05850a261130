"""The temperature by which a classifier is as sure as it is right."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

_FURTHEST = np.log(1000.0)


def fit_temperature(logits: np.ndarray, classes: np.ndarray) -> float:
    """The temperature T with which softmax(logits / T) gives held-out images' classes the largest likelihood.

        minimise over T: -sum_images log softmax(logits / T)[class] + (log T)^2 / 2

    The last term is a standard normal prior of log T: where all images are told rightly, T would else be 0, and every
    answer certain. Beside some dozens of images it weighs next to nothing.

    Args:
        logits: (image, class), of images that the classifier did not learn from.
        classes: (image,): what these are, as a number from 0.

    Returns:
        T, from 0.001 to 1,000; above 1 the classifier was too sure.

    *Source*: Guo et al. 2017, On calibration of modern neural networks (https://arxiv.org/abs/1706.04599), section 4.2.

    >>> logits = np.array([[2.0, 0.0]] * 4)
    >>> round(fit_temperature(np.tile(logits, (1000, 1)), np.tile([0, 0, 0, 1], 1000)), 2)  # 2 / log(3)
    1.82
    """
    rows = np.arange(len(classes))

    def loss(log_temperature: float) -> float:
        likelihoods = log_softmax(logits / np.exp(log_temperature), axis=1)[rows, classes]
        return float(log_temperature**2 / 2 - likelihoods.sum())

    found = minimize_scalar(loss, bounds=(-_FURTHEST, _FURTHEST), method="bounded", options={"xatol": 1e-7})
    return float(np.exp(found.x))  # pyright: ignore[reportAttributeAccessIssue]
