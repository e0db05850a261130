"""Structural similarity of images and reconstructions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import Images

_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2


@per_image(
    "Structural similarity",
    group="pixels",
    order=40,
    unit="similarity",
    better="higher",
    ceiling=1.0,
    source="Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861",
)
def ssim(
    images: Images,
    reconstructions: Images,
    channels: Sequence[str] = (),
) -> np.ndarray:
    """The structural similarity (SSIM) of image and reconstruction, averaged over all whole windows: 1 for equals.

        (2 m n + C1) (2 c + C2) / ((m^2 + n^2 + C1) (v + w + C2)),  C1 = 0.01^2,  C2 = 0.03^2

    m and n being the means in a Gaussian window of 11x11 pixels (scale 1.5), v and w the variances, c the covariance.
    For images below 11 pixels the window is cut to the largest odd size that fits.

    Made for natural images. Large black backgrounds, as around single cells, count as perfectly similar and lift it.

    Args:
        images: In [0, 1].
        reconstructions: Of the same images.
        channels: The channels' names.

    *Source*: Wang et al. 2004, section III B and C (https://doi.org/10.1109/TIP.2003.819861).

    >>> x = np.random.default_rng(0).random((2, 3, 16, 16))
    >>> round(ssim(x, x)[0].value, 9)
    1.0
    """
    m, n = _local_means(images), _local_means(reconstructions)
    v = _local_means(np.square(images)) - np.square(m)
    w = _local_means(np.square(reconstructions)) - np.square(n)
    c = _local_means(images * reconstructions) - m * n
    similarities = (2 * m * n + _C1) * (2 * c + _C2) / ((np.square(m) + np.square(n) + _C1) * (v + w + _C2))
    return similarities.mean((-2, -1), dtype=np.float64)


def _local_means(x: np.ndarray) -> np.ndarray:
    """(image, channel, row, column): the Gaussian-weighted mean in each whole window."""
    height, width = x.shape[-2:]
    return _windows(height, x.dtype) @ x @ _windows(width, x.dtype).T


def _windows(length: int, dtype: np.dtype) -> np.ndarray:
    """(window, pixel): the weights of each whole window along one side: a matrix product is fast."""
    size = min(_WINDOW, length - 1 + length % 2)
    offsets = np.arange(length) - np.arange(length - size + 1)[:, None] - size // 2
    weights = np.where(np.abs(offsets) <= size // 2, np.exp(-(offsets**2) / (2 * _SIGMA**2)), 0)
    return (weights / weights.sum(1, keepdims=True)).astype(dtype)
