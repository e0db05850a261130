"""The mean of exp(scores), in logs."""

from __future__ import annotations

from math import log

from vaelab.bounds._base import Marginal
from vaelab.shapes import Scalar


def log_mean_exp(scores: Marginal) -> Scalar:
    """log of the mean of exp(score) over all negatives of all pairs, without overflow.

    >>> import torch
    >>> log_mean_exp(torch.full((2, 3), 200.0))
    tensor(200.)
    """
    return scores.flatten().logsumexp(0) - log(scores.numel())
