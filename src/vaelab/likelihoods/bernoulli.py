"""Pixels that are 0 or 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from vaelab.distributions import BernoulliPixels
from vaelab.likelihoods._base import Likelihood


@dataclass(frozen=True, kw_only=True)
class BernoulliLikelihood(Likelihood):
    """Pixels that are 0 or 1: the decoder gives the logit of each pixel's probability of 1.

        log p(x|z) = sum x log p + (1 - x) log(1 - p),  p = sigmoid(raw)

    This is minus the cross entropy loss. For grey pixels the same formula is GreyBernoulliLikelihood, no longer a
    probability.

    *Source*: Kingma and Welling 2014, appendix C.1 (https://arxiv.org/abs/1312.6114).

    >>> import torch
    >>> p = BernoulliLikelihood()(torch.zeros(1, 1, 8, 8), {})
    >>> p.log_prob(torch.ones(1, 1, 8, 8)) / 64
    tensor([-0.6931])
    """

    space = "binary"

    def __call__(self, raw: Tensor, free: Mapping[str, Tensor]) -> BernoulliPixels:
        """See Likelihood."""
        return BernoulliPixels(raw)
