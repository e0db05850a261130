"""The log-likelihood of held-out images."""

from __future__ import annotations

import numpy as np

from vaelab.evaluation._bootstrap import mean_score
from vaelab.evaluation._nats import nats
from vaelab.evaluation._score import Score
from vaelab.likelihoods import DataSpace


def log_likelihood(log_evidences: np.ndarray, space: DataSpace = "binary", normalized: bool = True) -> Score:
    """The importance-weighted estimate of log p(x), which is too low rather than too high.

        log (1/K) sum_k p(x|z_k) p(z_k) / q(z_k|x),  z_k ~ q(z|x);  in the mean between the ELBO (K = 1) and log p(x)

    Its bias is about -(1/2) (1/S - 1/K) nats, S being the `effective_samples`, and falls with K. The interval is over
    images, the draws' own noise within it; it doesn't hold the bias.

    Args:
        log_evidences: (image,), nats: the estimate of each image (`ImportanceSums.log_evidences`).
        space: What the likelihood puts its probability on.
        normalized: Whether its probabilities sum to one.

    *Source*: Burda et al. 2016, theorem 1 (https://arxiv.org/abs/1509.00519); bias: Nowozin 2018, proposition 1
    (https://openreview.net/forum?id=HyZoi-WRb).

    >>> log_likelihood(np.array([-85.0, -87.0])).value
    -86.0
    """
    source = "Burda et al. 2016, https://arxiv.org/abs/1509.00519 (biased low)"
    return mean_score(log_evidences, nats(space, normalized), "higher", source)
