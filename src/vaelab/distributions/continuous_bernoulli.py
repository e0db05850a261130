"""Images of grey pixels in [0, 1]: the Bernoulli's formula, made a density."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import constraints

from vaelab.distributions.pixelwise import Density, Pixels


class ContinuousBernoulliPixels(Density):
    """Independent grey pixels with an exponential density over [0, 1].

        p(x) = C p^x (1 - p)^(1 - x),  p = sigmoid(logits)
             = exp(logits (x - 1/2)) / sinhc(logits / 2),  sinhc(t) = sinh(t) / t

    In the second form nothing cancels at p = 1/2, where the first has 0/0.

    Args:
        logits: log(p / (1 - p)) of each pixel.

    *Source*: Loaiza-Ganem and Cunningham 2019, section 3 (https://arxiv.org/abs/1907.06845).

    >>> ContinuousBernoulliPixels(torch.zeros(1, 1, 1, 1)).log_prob(torch.full((1, 1, 1, 1), 0.3)).exp()
    tensor([1.])
    """

    def __init__(self, logits: Pixels):
        self.logits = logits
        super().__init__(logits.shape)

    @property
    def support(self) -> constraints.Constraint:
        """[0, 1]."""
        return constraints.unit_interval

    @property
    def mean(self) -> Pixels:
        """1/2 + (coth(t) - 1/t) / 2 with t = logits / 2. It isn't p: at p = 0.9 it is 0.67."""
        return 0.5 + coth_minus_inverse(self.logits / 2) / 2

    @property
    def mode(self) -> Pixels:
        """1 where the density rises, else 0."""
        return (self.logits > 0).to(self.logits.dtype)

    def nats_per_pixel(self, x: Pixels) -> Pixels:
        """See Pixelwise."""
        return torch.addcmul(LogSinhc.apply(self.logits / 2), self.logits, 0.5 - x)

    def log_interval(self, lower: Tensor, upper: Tensor) -> Pixels:
        """See Density. An exponential again: of the interval's middle and width."""
        lower, upper = lower.clamp(0, 1), upper.clamp(0, 1)
        width, middle = upper - lower, (upper + lower) / 2
        inside = self.logits * (middle - 0.5) + LogSinhc.apply(self.logits * width / 2) + width.log()
        return inside - LogSinhc.apply(self.logits / 2)

    def draw(self, shape: torch.Size) -> Pixels:
        """See Pixelwise. By the inverse of the distribution function."""
        u = torch.rand(shape, dtype=self.logits.dtype, device=self.logits.device)
        rate = -self.logits.abs()
        safe = torch.where(rate > -1e-3, -1.0, rate)
        falling = torch.where(rate > -1e-3, u + rate * u * (1 - u) / 2, torch.log1p(u * safe.expm1()) / safe)
        return torch.where(self.logits > 0, 1 - falling, falling).clamp(0, 1)


SMALL = 0.2
"""Up to here the slope of log sinhc is taken from its series, which is good to 1e-13 there."""


def coth_minus_inverse(t: Tensor) -> Tensor:
    """coth(t) - 1/t, the slope of log sinhc, by its series near 0; from -1 to 1.

    >>> coth_minus_inverse(torch.tensor([0.0, 0.3, 100.0]))
    tensor([0.0000, 0.0994, 0.9900])
    """
    # f(t) = f(min(t, c)) + f(max(t, c)) - f(c): two formulas without a branch, which is slow on vectors.
    near, far = t.clamp(-SMALL, SMALL), t.abs().clamp_min(SMALL)
    return _series(near) + (_exact(far) - _exact(far.new_full((), SMALL))) * t.sign()


def _series(t: Tensor) -> Tensor:
    s = t.square()
    return t * (1 / 3 - s * (1 / 45 - s * (2 / 945 - s * (1 / 4725 - s * (2 / 93555)))))


def _exact(t: Tensor) -> Tensor:
    return -2 / torch.expm1(-2 * t) - 1 - 1 / t


class LogSinhc(torch.autograd.Function):
    """log(sinh(t) / t) of each t, with the exact slope: half the passes that automatic differentiation would make.

    >>> LogSinhc.apply(torch.tensor([1.0, 100.0]))
    tensor([ 0.1614, 94.7017])
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(t: Tensor) -> Tensor:
        """log sinhc, to within rounding of its absolute value."""
        size = t.abs().clamp_min(1e-6)
        return size + torch.expm1(-2 * size).div_(-2 * size).log_()

    @staticmethod
    def setup_context(ctx, inputs: tuple[Tensor], output: Tensor) -> None:
        """Keeps t."""
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, *grad_outputs: Tensor) -> Tensor:
        """By the chain rule; differentiable once more."""
        (t,) = ctx.saved_tensors
        return grad_outputs[0] * coth_minus_inverse(t)
