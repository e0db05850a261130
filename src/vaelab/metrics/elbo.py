"""The evidence lower bound."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._nats import Space, nats
from vaelab.metrics._shapes import PerImage


@per_image(
    "Evidence lower bound",
    group="nats",
    order=10,
    headline=True,
    unit=nats,
    better="higher",
    same_data=True,
    source="Kingma and Welling 2014, https://arxiv.org/abs/1312.6114",
)
def elbo(elbos: PerImage, space: Space = "binary", normalized: bool = True) -> np.ndarray:
    """The evidence lower bound to log p(x): -(distortion + rate).

    It is below log p(x) by KL(q(z|x) || p(z|x)), the posterior's error, so a better posterior alone raises it.

    Args:
        elbos: nats.
        space: What the likelihood puts its probability on; it decides the unit.
        normalized: Whether its probabilities sum to one; likewise.

    *Source*: Kingma and Welling 2014, equation 3 (https://arxiv.org/abs/1312.6114).

    >>> elbo(np.array([-90.0, -110.0]))[0].value
    -100.0
    """
    return elbos
