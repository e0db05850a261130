"""Images of pixels that lie around a location at a scale: Gaussian, Laplace, logistic."""

from __future__ import annotations

from abc import abstractmethod
from math import log, pi

import torch
from torch import Tensor
from torch.distributions import constraints
from torch.nn.functional import mse_loss, softplus
from torch.special import log_ndtr

from vaelab.distributions.pixelwise import Density, PerChannel, Pixels


class LocationScale(Density):
    """Independent pixels x = loc + scale * noise on the real line, the noise symmetric with its peak at 0.

    Args:
        loc: The mean and mode of each pixel.
        scale: Positive; broadcasts against loc, so one number, one per channel (channel, 1, 1) or one per pixel.
    """

    def __init__(self, loc: Pixels, scale: Tensor):
        self.loc, self.scale = loc, scale
        super().__init__(loc.shape)

    @abstractmethod
    def noise(self, shape: torch.Size) -> Tensor:
        """Draws at loc 0 and scale 1."""

    @property
    def support(self) -> constraints.Constraint:
        """The real line."""
        return constraints.real

    @property
    def mean(self) -> Pixels:
        """loc."""
        return self.loc

    @property
    def mode(self) -> Pixels:
        """loc."""
        return self.loc

    def draw(self, shape: torch.Size) -> Pixels:
        """See Pixelwise. Not clipped, so a pixel can lie outside [0, 1]."""
        return self.loc + self.scale * self.noise(shape)

    def standard(self, x: Tensor) -> Tensor:
        """(x - loc) / scale."""
        return (x - self.loc) / self.scale


class GaussianPixels(LocationScale):
    """Independent pixels N(loc, scale^2).

        log p(x) = - sum (x - loc)^2 / (2 scale^2) + log scale + log(2 pi) / 2

    >>> GaussianPixels(torch.zeros(1, 1, 1, 1), torch.tensor(1.0)).log_prob(torch.zeros(1, 1, 1, 1)).exp()
    tensor([0.3989])
    """

    def nats_per_pixel(self, x: Pixels) -> Pixels:
        """See Pixelwise."""
        return torch.add(self.scale.log() + log(2 * pi) / 2, self.standard(x).square(), alpha=0.5)

    def nats_per_channel(self, x: Pixels) -> PerChannel:
        """See Pixelwise. With one scale per channel, a third of the passes over the pixels."""
        if self.scale.shape[-2:].numel() > 1:
            return super().nats_per_channel(x)
        constant = log(2 * pi) / 2
        scale = self.scale[..., 0, 0] if self.scale.ndim else self.scale
        squared_error = mse_loss(*torch.broadcast_tensors(self.loc, x), reduction="none").sum((-2, -1))
        return squared_error / (2 * scale.square()) + self.event_shape[-2:].numel() * (scale.log() + constant)

    def log_interval(self, lower: Tensor, upper: Tensor) -> Pixels:
        """See Density. In float64 within, since the difference of two logarithms is small in narrow intervals."""
        a, b = self.standard(lower.double()), self.standard(upper.double())
        mirrored = a + b > 0
        a, b = torch.where(mirrored, -b, a), torch.where(mirrored, -a, b)
        below, above = log_ndtr(a), log_ndtr(b)
        return (above + (-torch.expm1(below - above)).log()).to(self.loc.dtype)

    def noise(self, shape: torch.Size) -> Tensor:
        """See LocationScale."""
        return torch.randn(shape, dtype=self.loc.dtype, device=self.loc.device)


class LaplacePixels(LocationScale):
    """Independent pixels with a two-sided exponential density; its standard deviation is sqrt(2) * scale.

        log p(x) = - sum |x - loc| / scale + log(2 scale)

    >>> LaplacePixels(torch.zeros(1, 1, 1, 1), torch.tensor(1.0)).log_prob(torch.zeros(1, 1, 1, 1)).exp()
    tensor([0.5000])
    """

    def nats_per_pixel(self, x: Pixels) -> Pixels:
        """See Pixelwise."""
        return self.standard(x).abs() + (2 * self.scale).log()

    def log_interval(self, lower: Tensor, upper: Tensor) -> Pixels:
        """See Density."""
        a, b, width = self.standard(lower), self.standard(upper), (upper - lower) / self.scale
        nearest = torch.where(a > 0, a, -b).clamp_min(0)
        one_side = -nearest + (-torch.expm1(-width)).log()
        both_sides = (-torch.expm1(a.clamp_max(0)) - torch.expm1(-b.clamp_min(0))).clamp_min(1e-37).log()
        return torch.where((a < 0) & (b > 0), both_sides, one_side) - log(2)

    def noise(self, shape: torch.Size) -> Tensor:
        """See LocationScale."""
        size = self.loc.new_empty(shape).exponential_()
        return torch.where(torch.rand_like(size) < 0.5, -size, size)


class LogisticPixels(LocationScale):
    """Independent pixels with a logistic density; its standard deviation is pi / sqrt(3) * scale.

        P(x < a) = sigmoid((a - loc) / scale)

    >>> LogisticPixels(torch.zeros(1, 1, 1, 1), torch.tensor(1.0)).log_prob(torch.zeros(1, 1, 1, 1)).exp()
    tensor([0.2500])
    """

    def nats_per_pixel(self, x: Pixels) -> Pixels:
        """See Pixelwise."""
        z = self.standard(x)
        return softplus(z) + softplus(-z) + self.scale.log()

    def log_interval(self, lower: Tensor, upper: Tensor) -> Pixels:
        """See Density. With a, b the interval in units of the scale:

        sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b))
        """
        width = (upper - lower) / self.scale
        return (-torch.expm1(-width)).log() - softplus(-self.standard(upper)) - softplus(self.standard(lower))

    def noise(self, shape: torch.Size) -> Tensor:
        """See LocationScale."""
        u = torch.rand(shape, dtype=self.loc.dtype, device=self.loc.device)
        return torch.logit(u, eps=torch.finfo(u.dtype).tiny)
