"""Two variational autoencoders, the second on top of the first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

import torch
from torch.distributions import Distribution, Independent

from vaelab.catalogue import name_of
from vaelab.distributions import sample_with
from vaelab.errors import InputError
from vaelab.models._base import Conditions, Model, ModelConfig
from vaelab.models._still import evaluating, in_pieces
from vaelab.models.vae import VAE, VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.shapes import Images, Latents, Numbers


class BothStages(NamedTuple):
    """A batch encoded by both stages."""

    first: Independent
    """q(z1|x)."""
    second: Independent
    """q(z2|x)."""
    source: Numbers
    """What the second stage read: features of the first's encoder, or z1."""


@dataclass(frozen=True, kw_only=True)
class TwoStageConfig(ModelConfig):
    """The setting of a two-stage VAE."""

    known_as: ClassVar[str] = "two-stage variational autoencoder"

    embed: Literal["single", "double"] = "double"
    """What the second stage reads. single: the features of the first's encoder, before its last layer; double: z1."""
    stop_gradient: bool = False
    """Whether the second stage leaves the first alone: no gradient flows back into what it reads."""
    first: VAEConfig = field(default_factory=lambda: VAEConfig(latent_dim=100))
    """The first stage, with many latents."""
    second: VAEConfig = field(
        default_factory=lambda: VAEConfig(latent_dim=3, encoder=MLPEncoder(hidden=(64,)), decoder=MLPDecoder())
    )
    """The second stage, with few. Its encoder reads vectors, so it is an MLP; its decoder draws the image."""

    def __post_init__(self):
        super().__post_init__()
        if not isinstance(self.second.encoder, MLPEncoder):
            got = name_of(self.second.encoder)
            raise InputError("second.encoder", "be mlp, for it reads vectors", got)
        if self.second.prior.made_of_posteriors:
            mend = "Give it to the first stage."
            raise InputError("second.prior", "need no images of its own", name_of(self.second.prior), mend)

    def stages(self) -> dict[str, ModelConfig]:
        """See ModelConfig."""
        return {"first": self.first, "second": self.second}

    def build(self, image_shape: tuple[int, int, int], num_conditions: int = 0) -> TwoStage:
        """See ModelConfig."""
        return TwoStage(self, image_shape, num_conditions)


class TwoStage(Model):
    """A VAE of many latents with a VAE of few on top; both reconstruct the image.

        z1 ~ q(z1|x),  z2 ~ q(z2|h),  h = features of the first encoder (single embed) or z1 (double embed)
        x1 ~ p(x|z1) by the first decoder,  x2 ~ p(x|z2) by the second

    As a model it is its second stage: `encode` gives q(z2|x) and `decode` p(x|z2). `first` is a model of its own. In a
    double embed h is a draw of z1 while training, and its mean otherwise; in both cases -(distortion + rate) is a lower
    bound of log p(x), as q(z2|h) for any h is a posterior that one may take.

    Args:
        config: The parts.
        image_shape: (channel, height, width).
        num_conditions: Numbers in the condition of an image, which both stages get.

    *Source*: Meeting notes on an InfoMax VAE of cell images, 2020.

    >>> import torch
    >>> model = TwoStageConfig().build((1, 28, 28))
    >>> x = torch.rand(5, 1, 28, 28)
    >>> model.first.encode(x).mean.shape, model.encode(x).mean.shape
    (torch.Size([5, 100]), torch.Size([5, 3]))
    """

    def __init__(self, config: TwoStageConfig, image_shape: tuple[int, int, int], num_conditions: int = 0):
        super().__init__()
        self.image_shape, self.num_conditions, self.embed = image_shape, num_conditions, config.embed
        self.latent_dim, self.likelihood = config.second.latent_dim, config.second.likelihood
        self.stop_gradient = config.stop_gradient
        with config.first.named("first"):
            self.first = config.first.build(image_shape, num_conditions)
        self.source_dim = self.first.latent_dim if config.embed == "double" else self.first.num_features
        with config.second.named("second"):
            self.top = VAE(config.second, image_shape, num_conditions, (self.source_dim, 1, 1))
        self.has_clusters = self.top.has_clusters

    @property
    def coded_shape(self) -> tuple[int, ...]:
        """See Model: the image in a single embed, z1 in a double one."""
        return self.image_shape if self.embed == "single" else (self.first.latent_dim,)

    def stages(self) -> dict[str, Model]:
        """See Model."""
        return {"first": self.first, "second": self}

    @property
    def prior(self) -> Distribution:
        """See Model."""
        return self.top.prior

    def encode(self, x: Images) -> Independent:
        """See Model."""
        return self.encode_both(x).second

    def encode_both(self, x: Images, noise: Latents | None = None) -> BothStages:
        """The posteriors of both stages, the first's networks run once.

        Args:
            x: Images in [0, 1].
            noise: Standard normal, for the sample of z1 that the second stage of a double embed reads in training;
                None: it reads the mean.
        """
        first = self.first
        q1, features = first.encode_with_features(x)
        source = features
        if self.embed == "double":
            source = q1.mean if noise is None else sample_with(q1, noise)
        if self.stop_gradient:
            source = source.detach()
        return BothStages(q1, self.top.encode(source[:, :, None, None]), source)

    def decode(self, z: Latents) -> Distribution:
        """See Model."""
        return self.top.decode(z)

    @property
    def learns_prior(self) -> bool:
        """See Model."""
        return self.first.learns_prior or self.top.learns_prior

    def start_prior(self, images: Images, seed: int) -> None:
        """See Model."""
        self.first.start_prior(images, seed)
        with evaluating(self):
            source = torch.cat([model.encode_both(some).source for model, some in in_pieces(self, images)])
        self.top.start_prior(source[:, :, None, None], seed)

    def given(self, conditions: Conditions | None) -> TwoStage:
        """See Model."""
        other = super().given(conditions)
        if conditions is not None:
            other._modules = {name: module.given(conditions) for name, module in self._modules.items()}  # pyright: ignore
        return other
