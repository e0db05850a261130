"""What the image costs once its code is known."""

from __future__ import annotations

import numpy as np

from vaelab.evaluation._bootstrap import mean_score
from vaelab.evaluation._nats import nats
from vaelab.evaluation._score import Score
from vaelab.likelihoods import DataSpace


def distortion(distortions: np.ndarray, space: DataSpace = "binary", normalized: bool = True) -> Score:
    """How many nats it costs to draw the image from its code: -E_q log p(x|z).

    Comparable between models with the same likelihood only. Below 0 where a density is above 1.

    Args:
        distortions: (image,), nats.
        space: What the likelihood puts its probability on.
        normalized: Whether its probabilities sum to one.

    *Source*: Alemi et al. 2018, section 2 (https://arxiv.org/abs/1711.00464).

    >>> distortion(np.array([90.0, 110.0])).value
    100.0
    """
    source = "Alemi et al. 2018, https://arxiv.org/abs/1711.00464"
    return mean_score(distortions, nats(space, normalized), "lower", source)
