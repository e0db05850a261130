"""Grey pixels around a value, with absolute error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from vaelab.distributions import LaplacePixels
from vaelab.likelihoods._base import Likelihood
from vaelab.likelihoods._scale import Scale, check_scale, free_scale, num_planes, split_scale
from vaelab.settings.ranges import Positive


@dataclass(frozen=True, kw_only=True)
class LaplaceLikelihood(Likelihood):
    """Grey pixels with a two-sided exponential density around what the decoder says.

        log p(x|z) = - sum |x - loc| / scale + log(2 scale)

    With a fixed scale this is absolute error divided by the scale, plus a constant: the usual "L1 loss", summed over
    pixels, is scale = 1. Less drawn to outliers than the Gaussian. The density lies on the real line, so samples (not
    the mean) can leave [0, 1]. Its standard deviation is sqrt(2) scale.

    *Source*: Laplace 1774; as a loss for images: Zhao et al. 2017, section III (https://arxiv.org/abs/1511.08861).

    >>> import torch
    >>> p = LaplaceLikelihood(scale=1.0)(torch.zeros(1, 1, 8, 8), {})
    >>> p.log_prob(torch.full((1, 1, 8, 8), 0.5)) / 64
    tensor([-0.6931])
    """

    space = "unit"

    scale: Scale = "per_channel"
    """Fixed, as a number in units of the image (0 black, 1 white); or learnt, one per channel or per pixel."""
    min_scale: Positive = 0.01
    """The scale's floor, which keeps the density finite where pixels are alike; a learnt scale begins 0.1 above it."""
    loc: Literal["sigmoid", "identity"] = "sigmoid"
    """How the location comes from the decoder: sigmoid(.), so that it is within [0, 1], or as it is."""

    def __post_init__(self):
        super().__post_init__()
        check_scale(self.scale, self.min_scale)

    @property
    def planes(self) -> int:
        """See Likelihood."""
        return num_planes(self.scale)

    def free_parameters(self, channels: int) -> dict[str, Tensor]:
        """See Likelihood."""
        return free_scale(self.scale, channels)

    def __call__(self, raw: Tensor, free: Mapping[str, Tensor]) -> LaplacePixels:
        """See Likelihood."""
        loc, scale = split_scale(self.scale, self.min_scale, self.split(raw), free)
        return LaplacePixels(loc.sigmoid() if self.loc == "sigmoid" else loc, scale)
