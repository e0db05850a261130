"""How far what a classifier says of each step is from what was wanted."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._series import NOT_FINITE, all_or_none, check_images
from vaelab.metrics._shapes import Steps


@per_image(
    "Self-consistency, error",
    group="explanations",
    order=20,
    better="lower",
    unit="difference of f",
    counted=all_or_none,
    nothing=NOT_FINITE,
    source="Singla et al. 2020, https://arxiv.org/abs/1911.00483",
)
def consistency_error(desired: Steps, reached: Steps) -> np.ndarray:
    """The mean absolute difference of what the classifier says of a step and what it was wanted to say.

        mean over steps of |f(x_delta) - (f(x) + delta)|

    A probability is off by 0.25 in the mean where f stays at a half and targets fill 0 to 1.

    Args:
        desired: what the classifier was wanted to say of each step.
        reached: what it says.

    Raises:
        InputError: They are not of the same images.

    *Source*: Singla et al. 2020 (https://arxiv.org/abs/1911.00483).

    >>> consistency_error(np.array([[0.1, 0.9]]), np.array([[0.35, 0.65]]))[0].value
    0.25
    """
    check_images(len(desired), reached=reached)
    return np.abs(reached.astype(np.float64) - desired).mean(1)
