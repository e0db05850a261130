"""Whether a classifier orders an image's steps as was wanted."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from vaelab.metrics._metric import per_image
from vaelab.metrics._series import all_or_none, check_images, correlations
from vaelab.metrics._shapes import Steps


@per_image(
    "Self-consistency, order",
    group="explanations",
    order=30,
    better="higher",
    unit="rank correlation",
    null=0.0,
    ceiling=1.0,
    counted=all_or_none,
    nothing="a number is not finite, or the same was wanted of all steps of an image",
    source="Spearman 1904, https://doi.org/10.2307/1412159",
)
def consistency_order(desired: Steps, reached: Steps) -> np.ndarray:
    """The rank correlation of what was wanted of an image's steps and what the classifier says of them.

    1: step by step it says more; 0: no order, or the same of all steps. Equal values share their mean rank.

    Args:
        desired: what the classifier was wanted to say of each step.
        reached: what it says.

    Raises:
        InputError: They are not of the same images.

    *Source*: Spearman 1904, The proof and measurement of association between two things
    (https://doi.org/10.2307/1412159).

    >>> consistency_order(np.array([[0.1, 0.5, 0.9]]), np.array([[0.2, 0.21, 0.7]]))[0].value.__round__(6)
    1.0
    """
    check_images(len(desired), reached=reached)
    found = correlations(rankdata(desired, axis=1), rankdata(reached, axis=1)).clip(-1, 1)
    return np.where(np.isfinite(desired).all(1) & np.isfinite(reached).all(1), found, np.nan)
