"""How an image differs from its reconstruction, channel by channel: one number per image and channel."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from vaelab.shapes import Images

PerChannel = Float[Tensor, "image channel"]
Windows = Float[Tensor, "image channel row column"]
Weights = Float[Tensor, "window pixel"]

_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2


def squared_errors(images: Images, reconstructions: Images) -> PerChannel:
    """The mean over pixels of the squared difference."""
    return (images - reconstructions).square().mean((-2, -1))


def absolute_errors(images: Images, reconstructions: Images) -> PerChannel:
    """The mean over pixels of the absolute difference."""
    return (images - reconstructions).abs().mean((-2, -1))


def similarities(images: Images, reconstructions: Images) -> PerChannel:
    """The structural similarity (SSIM), averaged over all whole windows.

        (2 m n + C1) (2 c + C2) / ((m^2 + n^2 + C1) (v + w + C2)),  C1 = 0.01^2,  C2 = 0.03^2

    m and n being the means in a Gaussian window of 11x11 pixels (scale 1.5), v and w the variances, c the covariance.
    For images below 11 pixels the window is cut to the largest odd size that fits.

    Args:
        images: In [0, 1].
        reconstructions: Of the same images.

    *Source*: Wang et al. 2004, section III B and C (https://doi.org/10.1109/TIP.2003.819861).

    >>> x = torch.rand(2, 3, 16, 16)
    >>> similarities(x, x).shape, bool(similarities(x, x).allclose(torch.ones(2, 3)))
    (torch.Size([2, 3]), True)
    """
    m, n = _local_means(images), _local_means(reconstructions)
    v = _local_means(images.square()) - m.square()
    w = _local_means(reconstructions.square()) - n.square()
    c = _local_means(images * reconstructions) - m * n
    map_ = (2 * m * n + _C1) * (2 * c + _C2) / ((m.square() + n.square() + _C1) * (v + w + _C2))
    return map_.mean((-2, -1))


def _local_means(x: Images) -> Windows:
    """The Gaussian-weighted mean in each whole window."""
    height, width = x.shape[-2:]
    return _windows(height, x) @ x @ _windows(width, x).T


def _windows(length: int, like: Tensor) -> Weights:
    """The weights of each whole window along one side: a matrix product, much faster here than a convolution."""
    size = min(_WINDOW, length - 1 + length % 2)
    starts = torch.arange(length - size + 1, device=like.device)
    offsets = torch.arange(length, device=like.device) - starts[:, None] - size // 2
    weights = torch.where(offsets.abs() <= size // 2, (-(offsets.to(like.dtype) ** 2) / (2 * _SIGMA**2)).exp(), 0)
    return weights / weights.sum(1, keepdim=True)
