"""The prior of the first VAE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from vaelab.priors._base import Encode, LatentPrior, Prior


@dataclass(frozen=True, kw_only=True)
class StandardNormalPrior(Prior):
    """p(z) = N(0, I): independent standard normal latents.

    *Source*: Kingma and Welling 2014, section 3 (https://arxiv.org/abs/1312.6114).

    >>> StandardNormalPrior().build(2, (1, 8, 8))(encode=None).log_prob(torch.zeros(2)).exp()
    tensor(0.1592)
    """

    factorizes: ClassVar[bool] = True

    def build(self, latent_dim: int, image_shape: tuple[int, int, int]) -> LatentPrior:
        """See Prior."""
        return _StandardNormal(latent_dim)


class _StandardNormal(LatentPrior):
    loc: Tensor
    scale: Tensor

    def __init__(self, latent_dim: int):
        super().__init__()
        self.register_buffer("loc", torch.zeros(latent_dim), persistent=False)
        self.register_buffer("scale", torch.ones(latent_dim), persistent=False)

    def forward(self, encode: Encode | None) -> Independent:
        return Independent(Normal(self.loc, self.scale, validate_args=False), 1, validate_args=False)
