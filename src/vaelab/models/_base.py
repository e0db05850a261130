"""The contract of every model: prior, encode, decode."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vaelab.likelihoods import Likelihood
from vaelab.shapes import Images, Latents


class Model(nn.Module, ABC):
    """A latent-variable model of images. All that vaelab computes is a function of these three.

    q = model.encode(x); z = q.rsample(); elbo = model.decode(z).log_prob(x) - rate(q, model.prior, z)
    """

    image_shape: tuple[int, int, int]
    """(channel, height, width) of one image."""
    latent_dim: int
    """Latents per image."""
    likelihood: Likelihood
    """Of which `decode` gives the distribution."""
    network_dtype: torch.dtype = torch.float32
    """Precision inside the networks. Only training lowers it, for its own time; likelihood and rate stay float32."""

    def run_network(self, network: nn.Module, inputs: Tensor) -> Tensor:
        """What a network of this model gives, as float32, computed in `network_dtype`."""
        if self.network_dtype == torch.float32:
            return network(inputs)
        with torch.autocast(inputs.device.type, self.network_dtype):
            return network(inputs).float()

    @property
    @abstractmethod
    def prior(self) -> Distribution:
        """p(z), one distribution over (latent,)."""

    @abstractmethod
    def encode(self, x: Images) -> Independent:
        """q(z|x), one distribution over (latent,) per image; x in [0, 1]."""

    @abstractmethod
    def decode(self, z: Latents) -> Distribution:
        """p(x|z), one distribution over (channel, height, width) per image."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig(ABC):
    """The setting of a model."""

    @abstractmethod
    def build(self, image_shape: tuple[int, int, int]) -> Model:
        """The model, with fresh weights from torch's global random generator, for images (channel, height, width)."""
