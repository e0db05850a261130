"""Grey pixels in [0, 1] with the Bernoulli's formula, normalised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from vaelab.distributions import ContinuousBernoulliPixels
from vaelab.likelihoods._base import Likelihood


@dataclass(frozen=True, kw_only=True)
class ContinuousBernoulliLikelihood(Likelihood):
    """Grey pixels in [0, 1]: the cross entropy with the constant that makes it a density. The decoder gives logits.

        log p(x|z) = sum x log p + (1 - x) log(1 - p) + log C(p),  C(p) = 2 artanh(1 - 2p) / (1 - 2p),  p = sigmoid(raw)

    The mean is not p but nearer to 1/2, so it takes larger logits to draw black or white.

    *Source*: Loaiza-Ganem and Cunningham 2019, section 3 (https://arxiv.org/abs/1907.06845).

    >>> import torch
    >>> p = ContinuousBernoulliLikelihood()(torch.zeros(1, 1, 8, 8), {})
    >>> p.log_prob(torch.full((1, 1, 8, 8), 0.3)).exp()
    tensor([1.0000])
    """

    space = "unit"

    def __call__(self, raw: Tensor, free: Mapping[str, Tensor]) -> ContinuousBernoulliPixels:
        """See Likelihood."""
        return ContinuousBernoulliPixels(raw)
