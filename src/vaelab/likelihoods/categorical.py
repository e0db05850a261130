"""Grey levels, each with a probability of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from vaelab.distributions import CategoricalPixels
from vaelab.distributions.levels import NumLevels
from vaelab.likelihoods._base import Likelihood


@dataclass(frozen=True, kw_only=True)
class CategoricalLikelihood(Likelihood):
    """Grey levels with free probabilities: the decoder gives one logit per level, pixel and channel.

        log p(x|z) = sum log softmax(raw)[l],  l = min(floor(x L), L - 1)

    It knows nothing of which levels are near each other, and costs L planes. Images with more levels than L are read at
    L levels, and it is of these that log p speaks.

    *Source*: van den Oord et al. 2016, section 2.2 (https://arxiv.org/abs/1601.06759).

    >>> import torch
    >>> p = CategoricalLikelihood(num_levels=4)(torch.zeros(1, 4, 8, 8), {})
    >>> p.log_prob(torch.ones(1, 1, 8, 8)) / 64
    tensor([-1.3863])
    """

    space = "levels"

    num_levels: NumLevels = 32
    """L, a power of two from 2 to 4096: 32 is 5 bits; 256 speaks of 8-bit images as they are, with 256 planes."""

    @property
    def planes(self) -> int:
        """See Likelihood."""
        return self.num_levels

    def __call__(self, raw: Tensor, free: Mapping[str, Tensor]) -> CategoricalPixels:
        """See Likelihood."""
        return CategoricalPixels(raw.unflatten(1, (self.num_levels, -1)))
