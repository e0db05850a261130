"""Layers that double an image, each with several ways of computing the same numbers; training chooses the fastest.

On the CPU a stock transposed convolution is slow in two places: its weight gradient in bfloat16 when the bias gradient
is asked for together with it, and its forward pass to few channels. The ways round, all on the layer's own parameters:

- ``stock``: torch's layer.
- ``split_bias``: the bias gradient as a sum of its own.
- ``matmul_fold``: also forward as one matrix product, whose rows are then added into the image (col2im); to 1 channel.
- ``sub_pixel``: also forward as a convolution of the small image to four times the channels, which then become
  neighbouring pixels; to a few channels.

Doubling by nearest neighbours and then a 3x3 convolution *is* a transposed convolution with a 4x4 kernel and stride 2
(16 products per pixel of the small image in place of 36), so it has the same choice.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from vaelab.shapes import Images

Kernel = Literal["stock", "split_bias", "matmul_fold", "sub_pixel"]
Large = Float[Tensor, "image channel_out tall wide"]


class Grid(NamedTuple):
    """Where a transposed convolution of stride 2 puts its pixels: (height, width) of each setting."""

    padding: tuple[int, int]
    output_padding: tuple[int, int]


class FastConvTranspose2d(nn.ConvTranspose2d):
    """torch's transposed convolution with its parameters and its numbers, computed as `kernel` says.

    With any kernel but "stock" it can be differentiated once; a second derivative raises a RuntimeError.

    >>> layer = FastConvTranspose2d(8, 1, 4, stride=2, padding=1)
    >>> kernels(layer)
    ('stock', 'split_bias', 'matmul_fold', 'sub_pixel')
    >>> layer.kernel = "matmul_fold"
    """

    kernel: Kernel = "stock"
    """How it is computed: one of `kernels(layer)`."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """See torch.nn.ConvTranspose2d."""
        if self.kernel == "stock" or output_size is not None:
            return super().forward(input, output_size)
        # torch types these as tuples of any length, and the padding as possibly a word.
        grid = Grid(tuple(self.padding), tuple(self.output_padding))  # pyright: ignore[reportArgumentType]
        return _transposed(input, self.weight, self.bias, grid, self.kernel)


class UpsampleConv2d(nn.Conv2d):
    """Upsampling to a given size, then a convolution with an odd kernel that keeps the size.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Pixels, odd.
        input_size: (height, width) that comes in.
        output_size: (height, width) that goes out.
        mode: How the pixels between are filled.

    >>> UpsampleConv2d(8, 1, 3, (4, 4), (8, 8), "nearest")(torch.zeros(2, 8, 4, 4)).shape
    torch.Size([2, 1, 8, 8])
    """

    kernel: Kernel = "stock"
    """How it is computed: one of `kernels(layer)`."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        input_size: tuple[int, int],
        output_size: tuple[int, int],
        mode: Literal["bilinear", "nearest"],
    ):
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        self.output_size, self.mode = output_size, mode
        doubles = output_size == (2 * input_size[0], 2 * input_size[1])
        self.is_transposed = mode == "nearest" and kernel_size == 3 and doubles

    def forward(self, input: Tensor) -> Tensor:
        """The output image."""
        if self.kernel == "stock":
            return super().forward(F.interpolate(input, self.output_size, mode=self.mode))
        return _transposed(input, _doubling(self.weight), self.bias, Grid((1, 1), (0, 0)), self.kernel)


def kernels(layer: nn.Module) -> tuple[Kernel, ...]:
    """The ways in which a layer can be computed, the stock one first; only that one where there is no choice.

    >>> kernels(nn.Linear(2, 2))
    ('stock',)
    """
    if isinstance(layer, UpsampleConv2d):
        possible = layer.is_transposed
    elif isinstance(layer, FastConvTranspose2d):
        plain = layer.groups == 1 and tuple(layer.dilation) == (1, 1)
        possible = plain and tuple(layer.stride) == (2, 2) and layer.kernel_size[0] == layer.kernel_size[1]
    else:
        possible = False
    return ("stock", "split_bias", "matmul_fold", "sub_pixel") if possible else ("stock",)


def _transposed(x: Images, weight: Tensor, bias: Tensor | None, grid: Grid, kernel: Kernel) -> Large:
    """A transposed convolution of stride 2, in the type that autocast asks for, as torch's own would be."""
    if torch.is_autocast_enabled(x.device.type) and x.dtype != torch.float64:
        dtype = torch.get_autocast_dtype(x.device.type)
        x, weight, bias = x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
    return _Transposed.apply(x, weight, bias, grid, kernel)


class _Transposed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, grid: Grid, kernel: Kernel) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.grid = grid
        if kernel == "matmul_fold":
            return _matmul_fold(x, weight, bias, grid)
        if kernel == "sub_pixel":
            return _sub_pixel(x, weight, bias, grid)
        return F.conv_transpose2d(x, weight, bias, 2, *grid)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (grad,), (x, weight) = grads, ctx.saved_tensors
        wanted = [ctx.needs_input_grad[0], ctx.needs_input_grad[1], False]
        padding, output_padding = ctx.grid
        grad_x, grad_weight, _ = torch.ops.aten.convolution_backward(
            grad, x, weight, None, [2, 2], padding, [1, 1], True, output_padding, 1, wanted
        )
        grad_bias = grad.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None
        return grad_x, grad_weight, grad_bias, None, None


def _output_size(x: Tensor, weight: Tensor, grid: Grid) -> tuple[int, int]:
    size = weight.shape[-1]
    height, width = (2 * (n - 1) - 2 * p + size + o for n, p, o in zip(x.shape[2:], *grid, strict=True))
    return height, width


def _matmul_fold(x: Tensor, weight: Tensor, bias: Tensor | None, grid: Grid) -> Tensor:
    columns = torch.bmm(weight.flatten(1).t().expand(len(x), -1, -1), x.flatten(2))
    y = F.fold(columns, _output_size(x, weight, grid), weight.shape[-1], padding=grid.padding, stride=2)
    return y if bias is None else y + bias[:, None, None]


def _sub_pixel(x: Tensor, weight: Tensor, bias: Tensor | None, grid: Grid) -> Tensor:
    """Pixel (2u + a, 2v + b) of the uncropped image sees the small image through weight[..., a::2, b::2] only."""
    num_in, num_out, size, _ = weight.shape
    beyond = max(0, *(o - p for p, o in zip(*grid, strict=True)))
    half = (size + beyond + 1) // 2
    rest = 2 * half - size
    parts = F.pad(weight, (0, rest, 0, rest)).view(num_in, num_out, half, 2, half, 2).flip(2, 4)
    parts = parts.permute(1, 3, 5, 0, 2, 4).reshape(4 * num_out, num_in, half, half)
    if x.is_contiguous(memory_format=torch.channels_last):
        parts = parts.contiguous(memory_format=torch.channels_last)
    y = F.conv2d(x, parts, None if bias is None else bias.repeat_interleave(4), padding=half - 1)
    (top, left), (height, width) = grid.padding, _output_size(x, weight, grid)
    return F.pixel_shuffle(y, 2)[..., top : top + height, left : left + width]


def _doubling(weight: Tensor) -> Tensor:
    """The 4x4 kernel (in, out) of the transposed convolution that doubling by nearest and this 3x3 one (out, in) make.

    A pixel is first copied to two, so along each axis wide[t] = flipped[t] + flipped[t - 1].
    """
    wide = weight.flip(2, 3).transpose(0, 1)
    wide = F.pad(wide, (0, 1)) + F.pad(wide, (1, 0))
    wide = F.pad(wide, (0, 0, 0, 1)) + F.pad(wide, (0, 0, 1, 0))
    last = not weight.is_contiguous()
    return wide.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
