"""Grey levels with a logistic's mass in each bin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from vaelab.distributions import BinnedPixels, LogisticPixels
from vaelab.distributions.levels import NumLevels
from vaelab.likelihoods._base import Likelihood
from vaelab.likelihoods._scale import Scale, check_scale, free_scale, num_planes, split_scale
from vaelab.settings.ranges import Positive


@dataclass(frozen=True, kw_only=True)
class DiscretizedLogisticLikelihood(Likelihood):
    """Grey levels with the mass that a logistic density has in each one's bin; the end levels take the tails.

        log p(x|z) = sum log [F(x + h) - F(x - h)],  F(t) = sigmoid((t - loc) / scale),  h = 1/2 / (L - 1)
        F(x - h) = 0 for black,  F(x + h) = 1 for white,  loc = (1 + raw) / 2

    A raw location beyond -1 or 1 lies outside [0, 1], which is how black and white become nearly certain.

    *Source*: Kingma et al. 2016 (https://arxiv.org/abs/1606.04934); Salimans et al. 2017, section 2.1, of
    which this is one component (https://arxiv.org/abs/1701.05517).

    >>> import torch
    >>> p = DiscretizedLogisticLikelihood(num_levels=2, scale=1.0)(torch.zeros(1, 1, 8, 8), {})
    >>> p.log_prob(torch.ones(1, 1, 8, 8)) / 64
    tensor([-0.6931])
    """

    space = "levels"

    num_levels: NumLevels = 256
    """L, a power of two from 2 to 4096: 256 speaks of 8-bit images as they are."""
    scale: Scale = "per_channel"
    """Fixed, as a number in units of the image (0 black, 1 white); or learnt, one per channel or per pixel."""
    min_scale: Positive = 0.001
    """The scale's floor, which keeps gradients finite; a learnt scale begins 0.1 above it."""

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

    def __call__(self, raw: Tensor, free: Mapping[str, Tensor]) -> BinnedPixels:
        """See Likelihood."""
        raw_loc, scale = split_scale(self.scale, self.min_scale, self.split(raw), free)
        # From levels l/(L-1) with bins around them to the equal bins [l/L, (l+1)/L].
        steps, bins = self.num_levels - 1, self.num_levels
        loc = ((1 + raw_loc) / 2 * steps + 0.5) / bins
        return BinnedPixels(LogisticPixels(loc, scale * (steps / bins)), self.num_levels)
