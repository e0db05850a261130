"""The log-likelihood on a scale that doesn't depend on the image's size."""

from __future__ import annotations

import numpy as np
import torch

from vaelab import likelihoods
from vaelab.evaluation._bootstrap import mean_score
from vaelab.evaluation._score import Score
from vaelab.likelihoods import DataSpace


def bits_per_dim(log_evidences: np.ndarray, num_pixels: int, num_levels: int, space: DataSpace = "levels") -> Score:
    """How many bits the model spends on each pixel and channel.

        binary pixels, grey levels:  -log P(x) / (D log 2)
        density:                     (-log p(x) + D log L) / (D log 2),  x dequantised

    Comparable between models of the same images at the same number of levels L. For a density it is an upper bound, and
    only if the log-likelihood was evaluated on dequantised images. Too low an estimate of log p(x) makes it too high.

    Args:
        log_evidences: (image,), nats, of a likelihood that is normalised.
        num_pixels: D, pixels times channels.
        num_levels: L: 256 for 8-bit images, 2 for binary ones.
        space: What the likelihood puts its probability on.

    *Source*: Theis et al. 2016, section 3.1 (https://arxiv.org/abs/1511.01844).

    >>> bits_per_dim(np.array([-64 * np.log(2)]), num_pixels=64, num_levels=2, space="binary").value
    1.0
    """
    bits = likelihoods.bits_per_dim(torch.from_numpy(log_evidences), num_pixels, space, num_levels)
    source = "Theis et al. 2016, https://arxiv.org/abs/1511.01844"
    return mean_score(bits.numpy(), "bits per dimension", "lower", source)
