"""Residual networks: after each halving and before each doubling, blocks that add to what they are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn

from vaelab.networks._base import Activation, Decoder, Encoder
from vaelab.networks._transpose import UpsampleConv2d
from vaelab.networks.conv import (
    Norm,
    check_layers,
    default_widths,
    halved_sizes,
    halving_padding,
    norm_and_activation,
)
from vaelab.networks.mlp import layers
from vaelab.settings.ranges import AtLeast1
from vaelab.shapes import Images

_KERNEL = 4
"""Pixels of the convolution that halves the image."""


@dataclass(frozen=True, kw_only=True)
class ResidualEncoder(Encoder):
    """Convolutions with stride 2, each followed by residual blocks, then fully connected layers.

    *Source*: He et al. 2016, figure 4e (the block, https://arxiv.org/abs/1603.05027); Child 2021, section 3 (the scale
    of its last convolution, https://arxiv.org/abs/2011.10650).

    >>> encoder = ResidualEncoder(widths=(32, 64), num_blocks=2).build((1, 28, 28), num_outputs=20)
    >>> [type(layer).__name__ for layer in encoder[:6]]
    ['Conv2d', 'ResidualBlock', 'ResidualBlock', 'Conv2d', 'ResidualBlock', 'ResidualBlock']
    >>> encoder(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 20])
    """

    widths: tuple[AtLeast1, ...] | None = None
    """Channels after each halving, from image to latents. Left out: down to about 4 pixels, with 256 channels there and
    half as many at each size before, but at least 32."""
    num_blocks: Annotated[int, Ge(1), Le(100)] = 1
    """Residual blocks after each halving; each has two convolutions."""
    dense: tuple[AtLeast1, ...] = (256,)
    """Widths of the fully connected layers between the last block and the latents; may be none."""
    norm: Norm = "batch"
    """What precedes each activation of a block, and the last one: batch normalisation or nothing."""
    activation: Activation = "relu"
    """What precedes each convolution of a block, and follows the last block and each fully connected layer."""

    def __post_init__(self):
        super().__post_init__()
        check_layers(self.widths, (_KERNEL,))

    def build(self, image_shape: tuple[int, int, int], num_outputs: int) -> nn.Module:
        """See Encoder.

        Raises:
            InputError: The image is outside 8x8 to 512x512, or too small for so many halvings.
        """
        channels, height, width = image_shape
        widths = self.widths or default_widths(height, width)
        sizes = halved_sizes((height, width), (_KERNEL,) * len(widths))
        body: list[nn.Module] = []
        for before, after, size in zip((channels, *widths), widths, sizes, strict=False):
            body.append(nn.Conv2d(before, after, _KERNEL, stride=2, padding=halving_padding(size, _KERNEL)))
            body.extend(_blocks(self, after, len(widths)))
        features = widths[-1] * sizes[-1][0] * sizes[-1][1]
        body.extend([*norm_and_activation(widths[-1], self.norm, self.activation), nn.Flatten()])
        return nn.Sequential(*body, *layers(features, self.dense, self.activation, num_outputs))


@dataclass(frozen=True, kw_only=True)
class ResidualDecoder(Decoder):
    """Fully connected layers to a small image, then residual blocks and a doubling, by turns.

    A doubling is by nearest neighbours and a 3x3 convolution; the last one gives raw numbers.

    *Source*: as ResidualEncoder.

    >>> decoder = ResidualDecoder(widths=(64, 32)).build(10, (1, 28, 28))
    >>> [type(layer).__name__ for layer in decoder[4:]]
    ['ResidualBlock', 'UpsampleConv2d', 'ResidualBlock', 'BatchNorm2d', 'ReLU', 'UpsampleConv2d']
    >>> decoder(torch.zeros(2, 10)).shape
    torch.Size([2, 1, 28, 28])
    """

    widths: tuple[AtLeast1, ...] | None = None
    """Channels before each doubling, from latents to image; the first belongs to the small image that the fully
    connected layers give. Left out: those of the encoder, backward."""
    num_blocks: Annotated[int, Ge(1), Le(100)] = 1
    """Residual blocks before each doubling; each has two convolutions."""
    dense: tuple[AtLeast1, ...] = (256,)
    """Widths of the fully connected layers between the latents and the small image; may be none."""
    norm: Norm = "batch"
    """What precedes each activation of a block, and the last one: batch normalisation or nothing."""
    activation: Activation = "relu"
    """What follows each fully connected layer but the last, and precedes each convolution of a block and the last
    doubling."""

    def __post_init__(self):
        super().__post_init__()
        check_layers(self.widths, (_KERNEL,))

    def build(self, latent_dim: int, output_shape: tuple[int, int, int]) -> nn.Module:
        """See Decoder.

        Raises:
            InputError: The image is outside 8x8 to 512x512, or too small for so many doublings.
        """
        channels, height, width = output_shape
        widths = self.widths or default_widths(height, width)[::-1]
        sizes = halved_sizes((height, width), (_KERNEL,) * len(widths))[::-1]
        start = (widths[0], *sizes[0])
        dense = layers(latent_dim, self.dense, self.activation, start[0] * start[1] * start[2])
        body: list[nn.Module] = [*dense, nn.Unflatten(1, start)]
        for i, (before, after) in enumerate(zip(widths, (*widths[1:], channels), strict=True)):
            body.extend(_blocks(self, before, len(widths)))
            if i == len(widths) - 1:
                body.extend(norm_and_activation(before, self.norm, self.activation))
            body.append(UpsampleConv2d(before, after, 3, sizes[i], sizes[i + 1], "nearest"))
        return nn.Sequential(*body)


class ResidualBlock(nn.Module):
    """Adds a correction to an image, whose size and channels stay.

        y = x + conv(act(norm(conv(act(norm(x))))))

    The last convolution begins smaller by the root of how many blocks there are in the network: together they then add
    no more variance than one block alone would, however many there are, and a deep network begins near the identity.

    Args:
        width: Channels.
        num_in_all: Blocks in the network.
        norm: What precedes the activations.
        activation: What precedes the convolutions.

    *Source*: as ResidualEncoder.

    >>> ResidualBlock(8, 1, "batch", "relu")(torch.zeros(2, 8, 4, 4)).shape
    torch.Size([2, 8, 4, 4])
    """

    def __init__(self, width: int, num_in_all: int, norm: Norm, activation: Activation):
        super().__init__()
        last = nn.Conv2d(width, width, 3, padding=1)
        with torch.no_grad():
            for parameter in last.parameters():
                parameter /= num_in_all**0.5
        self.branch = nn.Sequential(
            *norm_and_activation(width, norm, activation),
            nn.Conv2d(width, width, 3, padding=1),
            *norm_and_activation(width, norm, activation),
            last,
        )

    def forward(self, x: Images) -> Tensor:
        """The image with the correction."""
        return x + self.branch(x)


def _blocks(setting: ResidualEncoder | ResidualDecoder, width: int, num_scales: int) -> list[nn.Module]:
    """Those at one size of the image."""
    num_in_all = setting.num_blocks * num_scales
    return [ResidualBlock(width, num_in_all, setting.norm, setting.activation) for _ in range(setting.num_blocks)]
