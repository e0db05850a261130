"""The evidence lower bound."""

from __future__ import annotations

import numpy as np

from vaelab.evaluation._bootstrap import mean_score
from vaelab.evaluation._nats import nats
from vaelab.evaluation._score import Score
from vaelab.likelihoods import DataSpace


def elbo(elbos: np.ndarray, space: DataSpace = "binary", normalized: bool = True) -> Score:
    """The evidence lower bound to log p(x): -(distortion + rate).

    It is below log p(x) by KL(q(z|x) || p(z|x)), the posterior's error, so a better posterior alone raises it.

    Args:
        elbos: (image,), nats.
        space: What the likelihood puts its probability on.
        normalized: Whether its probabilities sum to one.

    *Source*: Kingma and Welling 2014, equation 3 (https://arxiv.org/abs/1312.6114).

    >>> elbo(np.array([-90.0, -110.0])).value
    -100.0
    """
    source = "Kingma and Welling 2014, https://arxiv.org/abs/1312.6114"
    return mean_score(elbos, nats(space, normalized), "higher", source)
