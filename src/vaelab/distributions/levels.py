"""Images of evenly spaced grey levels: level l of L stands for the bin [l/L, (l+1)/L] and is shown as l/(L-1)."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import constraints
from torch.nn.functional import cross_entropy

from vaelab.distributions.pixelwise import Levels, Pixels, Pixelwise
from vaelab.errors import InputError
from vaelab.shapes import Images

NumLevels = Literal[2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]
"""Of pixels: a power of two."""


def check_num_levels(what: str, num_levels: int) -> None:
    """Refuses a number of levels that is not 2^k with k from 1 to 12; `what` names the setting.

    With 13 bits, l/(L-1) rounded to float32 can fall out of its bin.
    """
    if num_levels not in get_args(NumLevels):
        raise InputError(what, "be a power of two from 2 to 4096", num_levels, "8-bit images have 256.")


def quantize(x: Pixels, num_levels: int) -> Levels:
    """The level (0 to num_levels - 1) of each pixel: min(floor(x L), L - 1).

    Right for images on the grid l/(L-1), for `dequantize`d ones, and for finer grids: 8-bit images at 32 levels lose
    their three lowest bits.

    Args:
        x: Images in [0, 1].
        num_levels: L.

    >>> quantize(torch.tensor([0, 7, 8, 255]).view(1, 1, 1, 4) / 255, 32).flatten()
    tensor([ 0,  0,  1, 31])
    """
    return (x * num_levels).floor().clamp(0, num_levels - 1).long()


def dequantize(x: Images, num_levels: int, generator: torch.Generator | None = None) -> Images:
    """Each pixel at random within its level's bin, so that a density can be evaluated on images of levels.

        y = (l + u) / L,  u uniform in [0, 1),  l = quantize(x)

    For any density p over y and the probability P(l) of the bin under it, the mean over u of log p(y) - D log L is at
    most log P(l) (Jensen), D being the number of pixels times channels: see `bits_per_dim`.

    Args:
        x: Images in [0, 1].
        num_levels: L, as many as the data have (256 for 8 bits).
        generator: Where the noise comes from; on the device of x.

    *Source*: Theis, van den Oord and Bethge 2016, section 3.1 (https://arxiv.org/abs/1511.01844).

    >>> quantize(dequantize(torch.ones(1, 1, 2, 2), 256), 256).unique()
    tensor([255])
    """
    check_num_levels("dequantize.num_levels", num_levels)
    level = quantize(x, num_levels).to(x.dtype)
    u = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    below_next = torch.nextafter((level + 1) / num_levels, torch.zeros_like(x))
    return torch.minimum((level + u) / num_levels, below_next)


LevelLogits = Float[Tensor, "... level channel height width"]
"""One number per level for each pixel and channel."""


class LevelConstraint(constraints.Constraint):
    """The values l/(L-1) of L grey levels.

    Args:
        num_levels: L.
    """

    is_discrete = True

    def __init__(self, num_levels: int):
        self.num_levels = num_levels
        super().__init__()

    def check(self, value: Tensor) -> Tensor:
        """Whether each value is one of the levels, to within rounding."""
        steps = value * (self.num_levels - 1)
        return (value >= 0) & (value <= 1) & ((steps - steps.round()).abs() < 1e-3)


class CategoricalPixels(Pixelwise):
    """Independent pixels, each with a probability of its own for each level.

        log p(x) = sum log softmax(logits)[l],  l = quantize(x)

    Args:
        logits: Unnormalised log-probabilities of the L levels of each pixel.

    >>> CategoricalPixels(torch.zeros(1, 4, 1, 1, 1)).log_prob(torch.ones(1, 1, 1, 1)).exp()
    tensor([0.2500])
    """

    def __init__(self, logits: LevelLogits):
        self.logits = logits
        self.num_levels = logits.shape[-4]
        super().__init__(logits.shape[:-4] + logits.shape[-3:])

    @property
    def support(self) -> constraints.Constraint:
        """The levels."""
        return LevelConstraint(self.num_levels)

    @property
    def mean(self) -> Pixels:
        """The expected grey value."""
        values = torch.linspace(0, 1, self.num_levels, dtype=self.logits.dtype, device=self.logits.device)
        return torch.einsum("...lchw,l->...chw", self.logits.softmax(-4), values)

    @property
    def mode(self) -> Pixels:
        """The likeliest level."""
        return self.logits.argmax(-4).to(self.logits.dtype) / (self.num_levels - 1)

    def nats_per_pixel(self, x: Pixels) -> Pixels:
        """See Pixelwise."""
        batch = torch.broadcast_shapes(x.shape[:-3], self.batch_shape)
        level = quantize(x, self.num_levels).expand(*batch, *self.event_shape)
        logits = self.logits.expand(*batch, *self.logits.shape[-4:])
        nats = cross_entropy(
            logits.reshape(-1, *logits.shape[-4:]), level.reshape(-1, *level.shape[-3:]), reduction="none"
        )
        return nats.view(level.shape)

    def draw(self, shape: torch.Size) -> Pixels:
        """See Pixelwise. By the Gumbel-max trick."""
        gumbel = -self.logits.new_empty(*shape[:-3], *self.logits.shape[-4:]).exponential_().log()
        return (self.logits + gumbel).argmax(-4).to(self.logits.dtype) / (self.num_levels - 1)
