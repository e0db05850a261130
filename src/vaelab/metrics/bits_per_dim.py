"""The log-likelihood on a scale that doesn't depend on the image's size."""

from __future__ import annotations

from math import log

import numpy as np

from vaelab.errors import InputError
from vaelab.metrics._metric import per_image
from vaelab.metrics._nats import Space
from vaelab.metrics._shapes import PerImage


@per_image(
    "Bits per dimension",
    group="nats",
    order=60,
    unit="bits per dimension",
    better="lower",
    source="Theis et al. 2016, https://arxiv.org/abs/1511.01844",
)
def bits_per_dim(log_evidences: PerImage, num_pixels: int, num_levels: int, space: Space = "levels") -> np.ndarray:
    """How many bits the model spends on each pixel and channel.

        binary pixels, grey levels:  -log P(x) / (D log 2)
        density:                     (-log p(x) + D log L) / (D log 2),  x dequantised

    Comparable between models of the same images at the same number of levels L. For a density it is an upper bound, and
    only if the log-likelihood was evaluated on dequantised images. Too low an estimate of log p(x) makes it too high.

    Args:
        log_evidences: nats, of a likelihood that is normalised.
        num_pixels: D, pixels times channels; 1 or more.
        num_levels: L, a power of two: 256 for 8-bit images, 2 for binary ones.
        space: What the likelihood puts its probability on.

    Raises:
        InputError: D is below 1, L is not a power of two, or the space is binary and L is not 2.

    *Source*: Theis et al. 2016, section 3.1 (https://arxiv.org/abs/1511.01844).

    >>> bits_per_dim(np.array([-64 * np.log(2)]), num_pixels=64, num_levels=2, space="binary")[0].value
    1.0
    """
    if num_pixels < 1:
        raise InputError("num_pixels", "be at least 1", num_pixels, "It is channels * height * width.")
    if num_levels < 2 or num_levels & (num_levels - 1) or (space == "binary" and num_levels != 2):
        should = "be 2 in binary space" if space == "binary" else "be a power of two, at least 2"
        raise InputError("num_levels", should, num_levels)
    nats = -log_evidences / num_pixels
    return (nats + log(num_levels) if space == "unit" else nats) / log(2)
