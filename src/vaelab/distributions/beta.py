"""Images of grey pixels with a Beta density."""

from __future__ import annotations

from math import log

import numpy as np
import torch
from scipy.special import betainc, betaln
from torch import Tensor
from torch.distributions import Beta, constraints

from vaelab.distributions.pixelwise import Density, Pixels


class BetaPixels(Density):
    """Independent pixels of which a slightly shrunk copy has a Beta distribution.

        y = margin + (1 - 2 margin) x,  y ~ Beta(a, b)
        log p(x) = sum (a - 1) log y + (b - 1) log(1 - y) - log B(a, b) + log(1 - 2 margin)

    The last term, from the change of variable, makes it a density of x: it integrates to one over where y is in [0, 1],
    which is x in [-margin / (1 - 2 margin), 1 + margin / (1 - 2 margin)], a little more than [0, 1].

    Args:
        a: First shape parameter of each pixel, positive; large pulls toward 1.
        b: Second shape parameter, positive; large pulls toward 0.
        margin: How far black and white are kept off the ends, in (0, 1/2).

    >>> one = torch.ones(1, 1, 1, 1)
    >>> BetaPixels(one, one, margin=0.1).log_prob(0.3 * one).exp()
    tensor([0.8000])
    """

    def __init__(self, a: Pixels, b: Pixels, margin: float):
        self.a, self.b, self.margin = a, b, margin
        super().__init__(a.shape)

    @property
    def support(self) -> constraints.Constraint:
        """[0, 1], widened so that the ends of the Beta's interval are reached."""
        beyond = self.margin / (1 - 2 * self.margin)
        return constraints.interval(-beyond, 1 + beyond)

    @property
    def mean(self) -> Pixels:
        """a / (a + b), stretched back."""
        return self._stretch(self.a / (self.a + self.b))

    @property
    def mode(self) -> Pixels:
        """The likeliest value *within [0, 1]*; with a or b below 1 the density has no maximum beyond."""
        rising, falling = self.a - 1, self.b - 1
        peaked = (rising > 0) & (falling > 0)
        peak = self._stretch(rising / torch.where(peaked, rising + falling, 1.0)).clamp(0, 1)
        return torch.where(peaked, peak, (self.a > self.b).to(self.a.dtype))

    def nats_per_pixel(self, x: Pixels) -> Pixels:
        """See Pixelwise."""
        shrink = 1 - 2 * self.margin
        log_y = (self.margin + shrink * x).log()
        log_rest = (self.margin + shrink * (1 - x)).log()
        log_norm = torch.lgamma(self.a) + torch.lgamma(self.b) - torch.lgamma(self.a + self.b)
        return log_norm - (self.a - 1) * log_y - (self.b - 1) * log_rest - log(shrink)

    def log_interval(self, lower: Tensor, upper: Tensor) -> Pixels:
        """See Density. The incomplete beta function of SciPy, in float64 on the CPU and without gradients.

        Beyond the middle of the mass both ends are counted from above. A mass too small for a float is so far out that
        the density falls exponentially from the end that is nearer to the middle.
        """
        shrink, device, kind = 1 - 2 * self.margin, self.a.device, self.a.dtype
        a, b, low, high = (t.double().cpu().numpy() for t in torch.broadcast_tensors(self.a, self.b, lower, upper))
        low, high = (np.clip(self.margin + shrink * end, 0, 1) for end in (low, high))
        above = low > a / (a + b)
        a, b = np.where(above, b, a), np.where(above, a, b)
        low, high = np.where(above, 1 - high, low), np.where(above, 1 - low, high)
        mass = betainc(a, b, high) - betainc(a, b, low)
        tiny = np.finfo(np.float64).tiny
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (a - 1) / high - (b - 1) / (1 - high)
            far = (a - 1) * np.log(high) + (b - 1) * np.log1p(-high) - betaln(a, b) - np.log(slope)
        return torch.from_numpy(np.where(mass > tiny, np.log(np.maximum(mass, tiny)), far)).to(device, kind)

    def draw(self, shape: torch.Size) -> Pixels:
        """See Pixelwise. A pixel can lie outside [0, 1] by margin / (1 - 2 margin)."""
        return self._stretch(Beta(self.a.expand(shape), self.b.expand(shape), validate_args=False).sample())

    def _stretch(self, y: Tensor) -> Tensor:
        return (y - self.margin) / (1 - 2 * self.margin)
