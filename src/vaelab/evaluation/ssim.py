"""Structural similarity of images and reconstructions."""

from __future__ import annotations

import numpy as np

from vaelab.evaluation._bootstrap import mean_score
from vaelab.evaluation._score import Score


def ssim(similarities: np.ndarray) -> Score:
    """The structural similarity (SSIM) of image and reconstruction: 1 where they are equal.

    Made for natural images. Large black backgrounds, as around single cells, count as perfectly similar and lift it.

    Args:
        similarities: (image, channel); the function of that name says how they are computed.

    *Source*: Wang et al. 2004, section III (https://doi.org/10.1109/TIP.2003.819861).

    >>> ssim(np.array([[0.9, 0.7]])).value
    0.8
    """
    source = "Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861"
    return mean_score(similarities.mean(1), "similarity", "higher", source, ceiling=1.0)
