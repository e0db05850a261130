"""How much of the wanted span of a classifier's answers the steps of an image cover."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._series import all_or_none, check_images
from vaelab.metrics._shapes import Steps


@per_image(
    "Span reached",
    group="explanations",
    order=40,
    better="higher",
    unit="share of the span",
    null=0.0,
    counted=all_or_none,
    nothing="a number is not finite, or the same was wanted of all steps of an image",
    source="Singla et al. 2020, https://arxiv.org/abs/1911.00483",
)
def reached_span(desired: Steps, reached: Steps) -> np.ndarray:
    """From the least to the most that the classifier says of an image's steps, as a share of what was wanted.

        (max f - min f over the steps of an image) / (max - min of what was wanted)

    1: the explanation goes as far as it should; 0: the classifier says the same of all steps. It says nothing of the
    order, and may pass 1.

    Args:
        desired: what the classifier was wanted to say of each step.
        reached: what it says.

    Raises:
        InputError: They are not of the same images.

    *Source*: Singla et al. 2020 (https://arxiv.org/abs/1911.00483).

    >>> reached_span(np.array([[0.0, 0.5, 1.0]]), np.array([[0.25, 0.5, 0.75]]))[0].value
    0.5
    """
    check_images(len(desired), reached=reached)
    wanted, found = (np.ptp(steps.astype(np.float64), axis=1) for steps in (desired, reached))
    return np.divide(found, wanted, out=np.full(len(found), np.nan), where=wanted > 0)
