"""Multilayer perceptrons on flattened images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod

from torch import nn

from vaelab.networks._base import ACTIVATIONS, Activation, Decoder, Encoder
from vaelab.settings.ranges import AtLeast1


@dataclass(frozen=True, kw_only=True)
class MLPEncoder(Encoder):
    """Fully connected layers from the flattened image.

    *Source*: ``hidden=(200, 200), activation="tanh"`` is that of Burda et al. 2016 (https://arxiv.org/abs/1509.00519).

    >>> MLPEncoder(hidden=(200, 200), activation="tanh").build((1, 28, 28), num_outputs=100)
    Sequential(
      (0): Flatten(start_dim=1, end_dim=-1)
      (1): Linear(in_features=784, out_features=200, bias=True)
      (2): Tanh()
      (3): Linear(in_features=200, out_features=200, bias=True)
      (4): Tanh()
      (5): Linear(in_features=200, out_features=100, bias=True)
    )
    """

    hidden: tuple[AtLeast1, ...] = (512, 256)
    """Widths of the hidden layers, from image to latents; none makes the encoder linear."""
    activation: Activation = "relu"
    """What follows each hidden layer."""

    def build(self, image_shape: tuple[int, int, int], num_outputs: int) -> nn.Module:
        """See Encoder."""
        return nn.Sequential(nn.Flatten(), *layers(prod(image_shape), self.hidden, self.activation, num_outputs))


@dataclass(frozen=True, kw_only=True)
class MLPDecoder(Decoder):
    """Fully connected layers to the flattened image.

    *Source*: ``hidden=(200, 200), activation="tanh"`` is that of Burda et al. 2016 (https://arxiv.org/abs/1509.00519).

    >>> import torch
    >>> MLPDecoder().build(10, (1, 28, 28))(torch.zeros(2, 10)).shape
    torch.Size([2, 1, 28, 28])
    """

    hidden: tuple[AtLeast1, ...] = (256, 512)
    """Widths of the hidden layers, from latents to image; none makes the decoder linear."""
    activation: Activation = "relu"
    """What follows each hidden layer."""

    def build(self, latent_dim: int, output_shape: tuple[int, int, int]) -> nn.Module:
        """See Decoder."""
        dense = layers(latent_dim, self.hidden, self.activation, prod(output_shape))
        return nn.Sequential(*dense, nn.Unflatten(1, output_shape))


def layers(num_inputs: int, hidden: tuple[int, ...], activation: str, num_outputs: int) -> list[nn.Module]:
    """Linear layers through the hidden widths, with the activation between them and none at the end."""
    widths = (num_inputs, *hidden)
    body = [m for a, b in pairwise(widths) for m in (nn.Linear(a, b), ACTIVATIONS[activation]())]
    return [*body, nn.Linear(widths[-1], num_outputs)]
