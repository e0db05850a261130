"""What likelihoods of any kind spend on the same grey levels."""

from __future__ import annotations

from math import log

import numpy as np

from vaelab.errors import InputError
from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import PerImage


@per_image(
    "Bits of 256 grey levels",
    group="nats",
    order=65,
    unit="bits per dimension",
    better="lower",
    counted=lambda bits: bits[~np.isnan(bits)],
    nothing="the decoder's distribution does not say what lies within an interval",
    source="Theis et al. 2016, https://arxiv.org/abs/1511.01844",
)
def level_bits(level_elbos: PerImage, num_pixels: int) -> np.ndarray:
    """How many bits the model spends at most on each pixel and channel, as one of 256 grey levels.

        -(E_q log P(x|z) - KL(q(z|x) || p(z))) / (D log 2),  z by one draw of q

    Comparable between likelihoods of all kinds on the same images: P is the mass that a density has in each of 256
    bins, the first and the last with the tails; levels are taken as they are; the cross entropy on grey pixels is
    divided by its integral first. 8 is what knowing nothing costs. A likelihood of binary pixels, or of another number
    of levels, has none.

    Args:
        level_elbos: nats: the ELBO of the image's grey levels; not a number where there is none.
        num_pixels: D, pixels times channels; 1 or more.

    Raises:
        InputError: D is below 1.

    *Source*: Theis et al. 2016, section 3.1 (https://arxiv.org/abs/1511.01844); the cross entropy: Loaiza-Ganem and
    Cunningham 2019 (https://arxiv.org/abs/1907.06845).

    >>> level_bits(np.array([-64 * 8 * np.log(2)]), num_pixels=64)[0].value
    8.0
    """
    if num_pixels < 1:
        raise InputError("num_pixels", "be at least 1", num_pixels, "It is channels * height * width.")
    return -level_elbos / (num_pixels * log(2))
