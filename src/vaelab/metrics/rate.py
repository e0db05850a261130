"""What the code costs."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import PerImage


@per_image(
    "Rate",
    group="nats",
    order=30,
    headline=True,
    unit="nats per image",
    better="neither",
    null=0.0,
    source="Alemi et al. 2018, https://arxiv.org/abs/1711.00464",
)
def rate(rates: PerImage) -> np.ndarray:
    """How many nats an image's code costs: KL(q(z|x) || p(z)).

    Near 0 the posterior has collapsed onto the prior: the code says nothing, whatever image it came from.

    Args:
        rates: nats.

    *Source*: Alemi et al. 2018, section 2 (https://arxiv.org/abs/1711.00464).

    >>> rate(np.array([1.0, 3.0]))[0].value
    2.0
    """
    return rates
