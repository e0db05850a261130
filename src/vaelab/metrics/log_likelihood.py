"""The log-likelihood of held-out images."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._nats import Space, nats
from vaelab.metrics._shapes import PerImage


@per_image(
    "Log-likelihood",
    group="nats",
    order=40,
    headline=True,
    unit=nats,
    better="higher",
    same_data=True,
    source="Burda et al. 2016, https://arxiv.org/abs/1509.00519 (biased low)",
)
def log_likelihood(log_evidences: PerImage, space: Space = "binary", normalized: bool = True) -> np.ndarray:
    """The importance-weighted estimate of log p(x), which is too low rather than too high.

        log (1/K) sum_k p(x|z_k) p(z_k) / q(z_k|x),  z_k ~ q(z|x);  in the mean between the ELBO (K = 1) and log p(x)

    Its bias is about -(1/2) (1/S - 1/K) nats, S being the `effective_samples`, and falls with K. The interval is over
    images, the draws' own noise within it; it doesn't hold the bias.

    Args:
        log_evidences: nats: the estimate of each image (`ImportanceSums.log_evidences`).
        space: What the likelihood puts its probability on; it decides the unit.
        normalized: Whether its probabilities sum to one; likewise.

    *Source*: Burda et al. 2016, theorem 1 (https://arxiv.org/abs/1509.00519); bias: Nowozin 2018, proposition 1
    (https://openreview.net/forum?id=HyZoi-WRb).

    >>> log_likelihood(np.array([-85.0, -87.0]))[0].value
    -86.0
    """
    return log_evidences
