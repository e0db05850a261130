"""Peak signal-to-noise ratio of the reconstructions."""

from __future__ import annotations

import numpy as np

from vaelab.evaluation._bootstrap import mean_score
from vaelab.evaluation._score import Score

_CEILING = 100.0


def psnr(squared_errors: np.ndarray) -> Score:
    """The peak signal-to-noise ratio, of each image and then averaged.

        -10 log10(mean squared error over pixels and channels),  peak 1

    An image that is reconstructed exactly counts as 100 dB, the ceiling, and not as infinite.

    Args:
        squared_errors: (image, channel), mean over pixels; one column for one channel.

    *Source*: Huynh-Thu and Ghanbari 2008 (https://doi.org/10.1049/el:20080522).

    >>> psnr(np.array([[0.01], [0.001]])).value
    25.0
    """
    decibels = -10 * np.log10(np.maximum(squared_errors.mean(1, dtype=np.float64), 10 ** (-_CEILING / 10)))
    return mean_score(
        decibels, "dB", "higher", "Huynh-Thu and Ghanbari 2008, https://doi.org/10.1049/el:20080522", _CEILING
    )
