"""What the image costs once its code is known."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._nats import Space, nats
from vaelab.metrics._shapes import PerImage


@per_image(
    "Distortion",
    group="nats",
    order=20,
    unit=nats,
    better="lower",
    same_data=True,
    source="Alemi et al. 2018, https://arxiv.org/abs/1711.00464",
)
def distortion(distortions: PerImage, space: Space = "binary", normalized: bool = True) -> np.ndarray:
    """How many nats it costs to draw the image from its code: -E_q log p(x|z).

    Comparable between models with the same likelihood only. Below 0 where a density is above 1.

    Args:
        distortions: nats.
        space: What the likelihood puts its probability on; it decides the unit.
        normalized: Whether its probabilities sum to one; likewise.

    *Source*: Alemi et al. 2018, section 2 (https://arxiv.org/abs/1711.00464).

    >>> distortion(np.array([90.0, 110.0]))[0].value
    100.0
    """
    return distortions
