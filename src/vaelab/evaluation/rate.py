"""What the code costs."""

from __future__ import annotations

import numpy as np

from vaelab.evaluation._bootstrap import mean_score
from vaelab.evaluation._score import Score


def rate(rates: np.ndarray) -> Score:
    """How many nats an image's code costs: KL(q(z|x) || p(z)).

    Near 0 the posterior has collapsed onto the prior: the code says nothing, whatever image it came from.

    Args:
        rates: (image,), nats.

    *Source*: Alemi et al. 2018, section 2 (https://arxiv.org/abs/1711.00464).

    >>> rate(np.array([1.0, 3.0])).value
    2.0
    """
    return mean_score(rates, "nats per image", "neither", "Alemi et al. 2018, https://arxiv.org/abs/1711.00464")
