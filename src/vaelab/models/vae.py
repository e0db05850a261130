"""The variational autoencoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import nn
from torch.distributions import Distribution, Independent, Normal
from torch.nn.functional import softplus

from vaelab.errors import InputError
from vaelab.likelihoods import Likelihood
from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.models._base import Model, ModelConfig
from vaelab.networks import Decoder, Encoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.priors import Prior
from vaelab.priors.standard_normal import StandardNormalPrior
from vaelab.shapes import Images, Latents


@dataclass(frozen=True, kw_only=True)
class VAEConfig(ModelConfig):
    """The setting of a VAE: its parts."""

    latent_dim: int = 10
    """Latents per image, 1 or more."""
    encoder: Encoder = field(default_factory=MLPEncoder)
    """The network from image to posterior."""
    decoder: Decoder = field(default_factory=MLPDecoder)
    """The network from latents to likelihood."""
    likelihood: Likelihood = field(default_factory=BernoulliLikelihood)
    """p(x|z)."""
    prior: Prior = field(default_factory=StandardNormalPrior)
    """p(z)."""
    posterior_scale: Literal["softplus", "log_scale"] | float = "softplus"
    """How the posterior's scale comes from the network: softplus(.), log_scale: exp(.), or for a number that constant.
    exp(.) is the papers' way, but its rate can reach 10^11 nats in the first steps of a deep network; softplus
    does not."""

    def __post_init__(self):
        if self.latent_dim < 1:
            raise InputError("model.latent_dim", "be at least 1", self.latent_dim)
        if isinstance(self.posterior_scale, int | float) and not 0 < self.posterior_scale < float("inf"):
            raise InputError("model.posterior_scale", "be positive and finite", self.posterior_scale)

    def build(self, image_shape: tuple[int, int, int]) -> VAE:
        """See ModelConfig."""
        return VAE(self, image_shape)


class VAE(Model):
    """p(z) p(x|z) with an amortised diagonal Gaussian posterior q(z|x).

        z ~ p(z);  x ~ p(x | decoder(z));  q(z|x) = N(loc(x), scale(x)^2)

    Args:
        config: The parts.
        image_shape: (channel, height, width).

    *Source*: Kingma and Welling 2014 (https://arxiv.org/abs/1312.6114); Rezende et al. 2014 (https://arxiv.org/abs/1401.4082).

    >>> vae = VAE(VAEConfig(latent_dim=2), image_shape=(1, 8, 8))
    >>> vae.encode(torch.rand(5, 1, 8, 8)).mean.shape
    torch.Size([5, 2])
    """

    def __init__(self, config: VAEConfig, image_shape: tuple[int, int, int]):
        super().__init__()
        self.image_shape, self.latent_dim, self.likelihood = image_shape, config.latent_dim, config.likelihood
        self.posterior_scale = config.posterior_scale
        channels, height, width = image_shape
        per_latent = 2 if isinstance(config.posterior_scale, str) else 1
        self.encoder = config.encoder.build(image_shape, per_latent * config.latent_dim)
        self.decoder = config.decoder.build(config.latent_dim, (config.likelihood.planes * channels, height, width))
        self.free = nn.ParameterDict(config.likelihood.free_parameters(channels))
        self._prior = config.prior.build(config.latent_dim, image_shape)

    @property
    def prior(self) -> Distribution:
        """See Model."""
        return self._prior(self.encode)

    def encode(self, x: Images) -> Independent:
        """See Model."""
        raw = self.run_network(self.encoder, x)
        if not isinstance(self.posterior_scale, str):
            loc, scale = raw, torch.full_like(raw, self.posterior_scale)
        else:
            loc, scale = raw.chunk(2, dim=1)
            scale = scale.exp() if self.posterior_scale == "log_scale" else softplus(scale) + 1e-6
        return Independent(Normal(loc, scale, validate_args=False), 1, validate_args=False)

    def decode(self, z: Latents) -> Distribution:
        """See Model."""
        return self.likelihood(self.run_network(self.decoder, z), dict(self.free.items()))
