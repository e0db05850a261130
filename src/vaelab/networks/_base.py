"""The contracts of encoder and decoder networks: settings that build a module for any image shape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from torch import nn

from vaelab.settings.ranges import Settings

Activation = Literal["relu", "tanh", "leaky_relu", "silu"]
ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "leaky_relu": nn.LeakyReLU,
    "silu": nn.SiLU,
}


@dataclass(frozen=True, kw_only=True)
class Encoder(Settings, ABC):
    """The setting of a network from images to numbers."""

    @abstractmethod
    def build(self, image_shape: tuple[int, int, int], num_outputs: int) -> nn.Module:
        """A module from (image, channel, height, width) to (image, num_outputs).

        Args:
            image_shape: (channel, height, width); height and width from 8 to 512.
            num_outputs: Numbers per image.
        """


@dataclass(frozen=True, kw_only=True)
class Decoder(Settings, ABC):
    """The setting of a network from latents to the planes that a likelihood reads."""

    @abstractmethod
    def build(self, latent_dim: int, output_shape: tuple[int, int, int]) -> nn.Module:
        """A module from (image, latent) to (image, *output_shape).

        Args:
            latent_dim: Latents per image.
            output_shape: (planes * channel, height, width); height and width from 8 to 512.
        """


def num_parameters(module: nn.Module) -> int:
    """How many numbers a module learns.

    >>> num_parameters(nn.Linear(3, 2))
    8
    """
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
