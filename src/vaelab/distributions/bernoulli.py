"""Images of pixels that are 0 or 1."""

from __future__ import annotations

import torch
from torch.distributions import constraints
from torch.nn.functional import binary_cross_entropy_with_logits

from vaelab.distributions.pixelwise import Pixels, Pixelwise


class BernoulliPixels(Pixelwise):
    """Independent pixels, 1 with probability sigmoid(logits), else 0.

        log p(x) = sum x log sigmoid(logits) + (1 - x) log(1 - sigmoid(logits))

    For x strictly between 0 and 1 this is a cross entropy, no longer the logarithm of a probability.

    Args:
        logits: log(p / (1 - p)) of each pixel.

    >>> BernoulliPixels(torch.zeros(1, 1, 1, 2)).log_prob(torch.ones(1, 1, 1, 2)).exp()
    tensor([0.2500])
    """

    def __init__(self, logits: Pixels):
        self.logits = logits
        super().__init__(logits.shape)

    @property
    def support(self) -> constraints.Constraint:
        """0 or 1."""
        return constraints.boolean

    @property
    def mean(self) -> Pixels:
        """The probability of 1."""
        return self.logits.sigmoid()

    @property
    def mode(self) -> Pixels:
        """1 where that is more likely than 0."""
        return (self.logits > 0).to(self.logits.dtype)

    def nats_per_pixel(self, x: Pixels) -> Pixels:
        """See Pixelwise."""
        logits, x = torch.broadcast_tensors(self.logits, x)
        return binary_cross_entropy_with_logits(logits, x, reduction="none")

    def draw(self, shape: torch.Size) -> Pixels:
        """See Pixelwise."""
        return torch.bernoulli(self.mean.expand(shape))
