"""The variational autoencoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import nn
from torch.distributions import Distribution, Independent, Normal
from torch.nn.functional import pad, softplus

from vaelab import ranks
from vaelab.catalogue import name_of
from vaelab.errors import InputError
from vaelab.likelihoods import Likelihood
from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.models._base import Model, ModelConfig
from vaelab.models._still import evaluating, in_pieces
from vaelab.networks import Decoder, Encoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.priors import Prior
from vaelab.priors.standard_normal import StandardNormalPrior
from vaelab.settings.ranges import AtLeast0, AtLeast1, Positive
from vaelab.shapes import Images, Latents, Numbers, Source


@dataclass(frozen=True, kw_only=True)
class VAEConfig(ModelConfig):
    """The setting of a VAE: its parts."""

    known_as: ClassVar[str] = "variational autoencoder"

    latent_dim: AtLeast1 = 10
    """Latents per image."""
    encoder: Encoder = field(default_factory=MLPEncoder)
    """The network from image to posterior."""
    decoder: Decoder = field(default_factory=MLPDecoder)
    """The network from latents to likelihood."""
    likelihood: Likelihood = field(default_factory=BernoulliLikelihood)
    """p(x|z)."""
    prior: Prior = field(default_factory=StandardNormalPrior)
    """p(z)."""
    posterior_scale: Literal["softplus", "log_scale"] | Positive = "softplus"
    """How the posterior's scale comes from the network: softplus(.) + 1e-6, log_scale: exp(.), or for a number that
    constant. exp(.) is the papers' way, but its rate can reach 10^11 nats in the first steps of a deep network; that
    of softplus does not."""
    noise_latents: AtLeast0 = 0
    """How many of the latents, the last ones, carry no code: q(z|x) is N(0, 1) there for every image, so that the
    decoder gets pure noise; fewer than latent_dim."""

    def __post_init__(self):
        super().__post_init__()
        if self.noise_latents >= self.latent_dim:
            raise InputError("noise_latents", f"be below latent_dim ({self.latent_dim})", self.noise_latents)
        if self.noise_latents and not isinstance(self.prior, StandardNormalPrior):
            mend = "Leave out one of the two."
            raise InputError("prior", "be standard_normal with noise latents", name_of(self.prior), mend)

    def build(self, image_shape: tuple[int, int, int], num_conditions: int = 0) -> VAE:
        """See ModelConfig."""
        if num_conditions and self.prior.made_of_posteriors:
            should = "need no images of its own where the model takes conditions"
            raise InputError("prior", should, name_of(self.prior), "Its images have none.")
        return VAE(self, image_shape, num_conditions)


class VAE(Model):
    """p(z) p(x|z) with an amortised diagonal Gaussian posterior q(z|x).

        z ~ p(z);  x ~ p(x | decoder(z));  q(z|x) = N(loc(x), scale(x)^2)

    Under conditions c: p(x|z, c) and q(z|x, c). The decoder reads c beside z, the encoder beside the image, as one more
    plane that is linear in c.

    Args:
        config: The parts.
        image_shape: (channel, height, width).
        num_conditions: Numbers in c; 0: there is none.
        source_shape: Of what the encoder reads, where that is not the image.

    *Source*: Kingma and Welling 2014 (https://arxiv.org/abs/1312.6114); Rezende et al. 2014 (https://arxiv.org/abs/1401.4082);
    conditions: Sohn et al. 2015 (https://papers.nips.cc/paper/5775), with p(z|c) = p(z).

    >>> vae = VAE(VAEConfig(latent_dim=2), image_shape=(1, 8, 8))
    >>> vae.encode(torch.rand(5, 1, 8, 8)).mean.shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        config: VAEConfig,
        image_shape: tuple[int, int, int],
        num_conditions: int = 0,
        source_shape: tuple[int, int, int] | None = None,
    ):
        super().__init__()
        self.image_shape, self.latent_dim, self.likelihood = image_shape, config.latent_dim, config.likelihood
        self.num_conditions, self.posterior_scale = num_conditions, config.posterior_scale
        self.noise_latents = config.noise_latents
        channels, height, width = image_shape
        source = source_shape or image_shape
        self.planes = None
        if num_conditions:
            count = max(1, num_conditions // (source[1] * source[2]))
            self.planes = nn.Linear(num_conditions, count * source[1] * source[2], bias=False)
            source = (source[0] + count, *source[1:])
        coded = config.latent_dim - config.noise_latents
        with config.encoder.named("encoder"):
            self.encoder = config.encoder.build(source, coded * (2 if isinstance(config.posterior_scale, str) else 1))
        planes = (config.likelihood.planes * channels, height, width)
        with config.decoder.named("decoder"):
            self.decoder = config.decoder.build(config.latent_dim + num_conditions, planes)
        self.free = nn.ParameterDict(config.likelihood.free_parameters(channels))
        self._prior = config.prior.build(config.latent_dim, image_shape)
        self.has_clusters = config.prior.has_clusters

    @property
    def prior(self) -> Distribution:
        """See Model. Every rank encodes the same pseudo-inputs, which are normalised on their own."""
        with ranks.alone():
            return self._prior(self.encode)

    def encode(self, x: Images) -> Independent:
        """See Model."""
        return self._posterior(self.run_network(self.encoder, self._source(x)))

    def encode_with_features(self, x: Images) -> tuple[Independent, Numbers]:
        """q(z|x), and the features of the image from which the encoder's last layer computes it."""
        body, last = self._body_and_last()
        features = self.run_network(body, self._source(x))
        return self._posterior(self.run_network(last, features)), features

    @property
    def num_features(self) -> int:
        """Numbers that the encoder's last layer reads."""
        return self._body_and_last()[1].in_features

    def _body_and_last(self) -> tuple[nn.Module, nn.Linear]:
        *body, last = self.encoder.children()
        if not (isinstance(self.encoder, nn.Sequential) and isinstance(last, nn.Linear)):
            got = type(self.encoder).__name__
            raise InputError("the encoder", "end in a linear layer for its features to be read", got)
        return nn.Sequential(*body), last

    def _source(self, x: Images) -> Source:
        """What the encoder reads: the image, with the conditions' planes beside it."""
        c = self.conditions_of(len(x))
        if self.planes is None or c is None:
            return x
        return torch.cat([x, self.planes(c).view(len(x), -1, *x.shape[2:])], 1)

    def _posterior(self, raw: Numbers) -> Independent:
        """q(z|x) from what the encoder gives."""
        if not isinstance(self.posterior_scale, str):
            loc, scale = raw, torch.full_like(raw, self.posterior_scale)
        else:
            loc, scale = raw.chunk(2, dim=1)
            scale = scale.exp() if self.posterior_scale == "log_scale" else softplus(scale) + 1e-6
        if self.noise_latents:
            loc, scale = pad(loc, (0, self.noise_latents)), pad(scale, (0, self.noise_latents), value=1.0)
        return Independent(Normal(loc, scale, validate_args=False), 1, validate_args=False)

    def decode(self, z: Latents) -> Distribution:
        """See Model."""
        c = self.conditions_of(len(z))
        inputs = z if c is None else torch.cat([z, c], 1)
        return self.likelihood(self.run_network(self.decoder, inputs), dict(self.free.items()))

    @property
    def learns_prior(self) -> bool:
        """See Model."""
        return any(True for _ in self._prior.parameters())

    def start_prior(self, images: Images, seed: int) -> None:
        """See Model."""
        with evaluating(self):
            parts = [model.encode(some) for model, some in in_pieces(self, images)]
            loc, scale = torch.cat([q.mean for q in parts]), torch.cat([q.stddev for q in parts])
            q = Independent(Normal(loc, scale, validate_args=False), 1, validate_args=False)
            self._prior.start(images, q, seed)
