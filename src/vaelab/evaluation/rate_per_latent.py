"""What each latent costs."""

from __future__ import annotations

import numpy as np

from vaelab.evaluation._bootstrap import mean_score
from vaelab.evaluation._score import Score


def rate_per_latent(latent_rates: np.ndarray) -> Score:
    """The rate of one latent, as a mean over latents: which latents carry the code.

    Posterior and prior must factorise; over latents it then sums to `rate`. A latent near 0 nats is not used.

    Args:
        latent_rates: (image, latent), nats; one column for one latent.

    *Source*: Kingma et al. 2016, appendix C.8 (https://arxiv.org/abs/1606.04934).

    >>> rate_per_latent(np.array([[1.0, 3.0], [2.0, 6.0]])).value
    3.0
    """
    source = "Kingma et al. 2016, https://arxiv.org/abs/1606.04934"
    return mean_score(latent_rates.mean(1), "nats per latent", "neither", source)
