"""The contract of every prior."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn
from torch.distributions import Distribution, Independent

from vaelab.settings.ranges import Settings
from vaelab.shapes import Images

Encode = Callable[[Images], Distribution]
"""The model's q(z|x)."""


class LatentPrior(nn.Module, ABC):
    """A prior with its weights, if it has any."""

    @abstractmethod
    def forward(self, encode: Encode) -> Distribution:
        """p(z), one distribution over (latent,).

        Args:
            encode: The model's q(z|x), for priors that are made of posteriors.
        """

    def start(self, images: Images, q: Independent, seed: int) -> None:
        """Sets the weights from what training begins with; nothing for a prior that learns nothing.

        Args:
            images: Some training images, in random order, in [0, 1].
            q: The posterior of each, in the same order: p(z) is to be like their mean.
            seed: Of whatever is drawn.
        """


@dataclass(frozen=True, kw_only=True)
class Prior(Settings, ABC):
    """The setting of a prior over latents."""

    made_of_posteriors: ClassVar[bool] = False
    """Whether it encodes images to be what it is."""
    factorizes: ClassVar[bool] = False
    """Whether its latents are independent of each other."""
    has_clusters: ClassVar[bool] = False
    """Whether its components are meant as clusters of images."""
    known_as: ClassVar[str] = ""
    """What others call a model with this part; empty: nothing particular."""

    @abstractmethod
    def build(self, latent_dim: int, image_shape: tuple[int, int, int]) -> LatentPrior:
        """The prior over (latent,), with fresh weights if it has any.

        Args:
            latent_dim: Latents per image.
            image_shape: (channel, height, width) of an image.
        """
