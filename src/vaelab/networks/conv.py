"""Convolutional networks that halve an image layer by layer, and double it back."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import Annotated, Literal

from annotated_types import Ge, Le
from torch import nn

from vaelab.errors import InputError
from vaelab.networks._base import ACTIVATIONS, Activation, Decoder, Encoder
from vaelab.networks._transpose import FastConvTranspose2d, UpsampleConv2d
from vaelab.networks.mlp import layers
from vaelab.settings.ranges import AtLeast1

Norm = Literal["none", "batch"]
Upsampling = Literal["transposed", "bilinear", "nearest"]
Kernel = Annotated[int, Ge(2), Le(9)]
Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class ConvEncoder(Encoder):
    """Convolutions with stride 2, then fully connected layers.

    *Source*: ``ConvEncoder(widths=(32, 32, 64, 64), kernels=(4, 4, 2, 2), norm="none")`` is that of
    Locatello et al. 2019, table 1 (https://arxiv.org/abs/1811.12359).

    >>> ConvEncoder(widths=(32, 64), dense=(), norm="none").build((1, 28, 28), num_outputs=20)
    Sequential(
      (0): Conv2d(1, 32, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))
      (1): ReLU()
      (2): Conv2d(32, 64, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))
      (3): ReLU()
      (4): Flatten(start_dim=1, end_dim=-1)
      (5): Linear(in_features=3136, out_features=20, bias=True)
    )
    """

    widths: tuple[AtLeast1, ...] | None = None
    """Channels after each convolution, from image to latents; each halves the image. Left out: down to about 4 pixels,
    with 256 channels there and half as many at each size before, but at least 32."""
    kernels: tuple[Kernel, ...] = (4,)
    """Kernel sizes of the convolutions in pixels; one for all, or one for each width."""
    dense: tuple[AtLeast1, ...] = (256,)
    """Widths of the fully connected layers between the last convolution and the latents; may be none."""
    norm: Norm = "batch"
    """What follows each convolution, before the activation: batch normalisation or nothing."""
    activation: Activation = "relu"
    """What follows each convolution and each fully connected layer."""

    def __post_init__(self):
        super().__post_init__()
        check_layers(self.widths, self.kernels)

    def build(self, image_shape: tuple[int, int, int], num_outputs: int) -> nn.Module:
        """See Encoder.

        Raises:
            InputError: The image is outside 8x8 to 512x512, or too small for so many halvings.
        """
        channels, height, width = image_shape
        widths = self.widths or default_widths(height, width)
        kernels = _one_each(self.kernels, widths)
        sizes = halved_sizes((height, width), kernels)
        body: list[nn.Module] = []
        for before, after, kernel, size in zip((channels, *widths), widths, kernels, sizes, strict=False):
            body.append(nn.Conv2d(before, after, kernel, stride=2, padding=halving_padding(size, kernel)))
            body.extend(norm_and_activation(after, self.norm, self.activation))
        features = widths[-1] * sizes[-1][0] * sizes[-1][1]
        return nn.Sequential(*body, nn.Flatten(), *layers(features, self.dense, self.activation, num_outputs))


@dataclass(frozen=True, kw_only=True)
class ConvDecoder(Decoder):
    """Fully connected layers to a small image, then layers that double it; the last gives raw numbers.

    *Source*: ``ConvDecoder(widths=(64, 64, 32, 32), norm="none")`` is that of
    Locatello et al. 2019, table 1 (https://arxiv.org/abs/1811.12359).

    >>> ConvDecoder(widths=(64, 32), dense=(), norm="none").build(10, (1, 28, 28))
    Sequential(
      (0): Linear(in_features=10, out_features=3136, bias=True)
      (1): Unflatten(dim=1, unflattened_size=(64, 7, 7))
      (2): ReLU()
      (3): FastConvTranspose2d(64, 32, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))
      (4): ReLU()
      (5): FastConvTranspose2d(32, 1, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))
    )
    """

    widths: tuple[AtLeast1, ...] | None = None
    """Channels before each doubling, from latents to image; the first belongs to the small image that the fully
    connected layers give. Left out: those of the encoder, backward."""
    kernels: tuple[Kernel, ...] | None = None
    """Kernel sizes in pixels (odd after bilinear or nearest upsampling); one for all, or one for each width.
    Left out: 4 for transposed convolutions, 3 after upsampling."""
    dense: tuple[AtLeast1, ...] = (256,)
    """Widths of the fully connected layers between the latents and the small image; may be none."""
    upsampling: Upsampling = "transposed"
    """How the image is doubled: by a transposed convolution, or by interpolation and a convolution."""
    norm: Norm = "batch"
    """What follows each doubling but the last, before the activation: batch normalisation or nothing."""
    activation: Activation = "relu"
    """What follows each fully connected layer and each doubling but the last."""
    activate_first: bool = True
    """Whether the activation also follows the layer that gives the small image."""

    def __post_init__(self):
        super().__post_init__()
        check_layers(self.widths, (4,) if self.kernels is None else self.kernels)
        even = [k for k in self.kernels or () if k % 2 == 0]
        if even and self.upsampling != "transposed":
            mend = 'Only upsampling="transposed" takes even sizes.'
            raise InputError("kernels", f"be odd after {self.upsampling} upsampling", even[0], mend)

    def build(self, latent_dim: int, output_shape: tuple[int, int, int]) -> nn.Module:
        """See Decoder.

        Raises:
            InputError: The image is outside 8x8 to 512x512, or too small for so many doublings.
        """
        channels, height, width = output_shape
        widths = self.widths or default_widths(height, width)[::-1]
        kernels = _one_each(self.kernels or ((4,) if self.upsampling == "transposed" else (3,)), widths)
        sizes = halved_sizes((height, width), kernels[::-1])[::-1]
        start = (widths[0], *sizes[0])
        dense = layers(latent_dim, self.dense, self.activation, start[0] * start[1] * start[2])
        body: list[nn.Module] = [*dense, nn.Unflatten(1, start)]
        if self.activate_first:
            body.append(ACTIVATIONS[self.activation]())
        outputs = (*widths[1:], channels)
        for i, (before, after, kernel) in enumerate(zip(widths, outputs, kernels, strict=True)):
            if i > 0:
                body.extend(norm_and_activation(before, self.norm, self.activation))
            body.append(_doubling(before, after, kernel, sizes[i], sizes[i + 1], self.upsampling))
        return nn.Sequential(*body)


def default_widths(height: int, width: int) -> tuple[int, ...]:
    """Channels after each halving, so that the longer side comes down to about 4 pixels and the shorter to 1 or more.

    >>> default_widths(64, 64)
    (32, 64, 128, 256)
    """
    depth = min(round(log2(max(height, width) / 4)), min(height, width).bit_length() - 1)
    return tuple(max(32, 256 >> (depth - 1 - i)) for i in range(depth))


def _doubling(before: int, after: int, kernel: int, small: Size, large: Size, upsampling: Upsampling) -> nn.Module:
    if upsampling != "transposed":
        return UpsampleConv2d(before, after, kernel, small, large, upsampling)
    padding = halving_padding(large, kernel)
    reached = tuple(2 * (n - 1) - 2 * p + kernel for n, p in zip(small, padding, strict=True))
    more = (large[0] - reached[0], large[1] - reached[1])
    return FastConvTranspose2d(before, after, kernel, stride=2, padding=padding, output_padding=more)


def norm_and_activation(width: int, norm: Norm, activation: Activation) -> list[nn.Module]:
    """Batch normalisation, where there is any, and the activation."""
    normal = [nn.BatchNorm2d(width)] if norm == "batch" else []
    return [*normal, ACTIVATIONS[activation]()]


def halving_padding(size: Size, kernel: int) -> Size:
    """Zeros around an image that is halved; with a kernel of 2, an odd size needs them to lose no pixel."""
    height, width = ((kernel - 1) // 2 or n % 2 for n in size)
    return height, width


def halved_sizes(size: Size, kernels: tuple[int, ...]) -> list[Size]:
    """The image's size before each halving and after the last: n // 2 for even kernels, rounded up for odd ones."""
    if not all(8 <= n <= 512 for n in size):
        raise InputError("image size", "be from 8x8 to 512x512 for convolutions", f"{size[0]}x{size[1]}")
    sizes = [size]
    for kernel in kernels:
        if min(sizes[-1]) < 2:
            fits = f"hold at most {len(sizes) - 1} widths for images of {size[0]}x{size[1]}"
            raise InputError("widths", fits, len(kernels), "Each width halves the image.")
        padding = halving_padding(sizes[-1], kernel)
        height, width = ((n + 2 * p - kernel) // 2 + 1 for n, p in zip(sizes[-1], padding, strict=True))
        sizes.append((height, width))
    return sizes


def _one_each(kernels: tuple[int, ...], widths: tuple[int, ...]) -> tuple[int, ...]:
    return kernels * len(widths) if len(kernels) == 1 else kernels


def check_layers(widths: tuple[int, ...] | None, kernels: tuple[int, ...]) -> None:
    """Refuses widths and kernels of which no network can be built."""
    if widths is not None and not widths:
        raise InputError("widths", "hold at least one number", "none", "Leave it out to have it chosen.")
    if len(kernels) != 1 and (widths is None or len(kernels) != len(widths)):
        should = "hold one number, or one for each width" if widths else "hold one number where widths are left out"
        raise InputError("kernels", should, len(kernels))
