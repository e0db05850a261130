"""Peak signal-to-noise ratio of the reconstructions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import Images

_CEILING = 100.0


def _decibels(squared_errors: np.ndarray) -> np.ndarray:
    return -10 * np.log10(np.maximum(squared_errors, 10 ** (-_CEILING / 10)))


@per_image(
    "Peak signal-to-noise ratio",
    group="pixels",
    order=30,
    unit="dB",
    better="higher",
    ceiling=_CEILING,
    whole=lambda values: _decibels((10 ** (-values / 10)).mean(1)),
    source="Huynh-Thu and Ghanbari 2008, https://doi.org/10.1049/el:20080522",
)
def psnr(
    images: Images,
    reconstructions: Images,
    channels: Sequence[str] = (),
) -> np.ndarray:
    """The peak signal-to-noise ratio, of each image and then averaged; of all channels' pixels together and of each.

        -10 log10(mean squared error over pixels and channels),  peak 1

    An image that is reconstructed exactly counts as 100 dB, the ceiling, and not as infinite.

    Args:
        images: In [0, 1].
        reconstructions: Of the same images.
        channels: The channels' names.

    *Source*: Huynh-Thu and Ghanbari 2008 (https://doi.org/10.1049/el:20080522).

    >>> round(psnr(np.ones((1, 1, 2, 2)), np.full((1, 1, 2, 2), 0.9))[0].value, 6)
    20.0
    """
    return _decibels(np.square(images - reconstructions).mean((-2, -1), dtype=np.float64))
