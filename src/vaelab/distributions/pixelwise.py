"""Distributions of images whose pixels are independent once the decoder has spoken."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.distributions import Distribution
from torch.types import _size

Pixels = Float[Tensor, "... channel height width"]
"""Images, or one number for each of their pixels and channels; any batch, such as several samples of each image."""

Levels = Int[Tensor, "... channel height width"]
"""A grey level, counted from 0, for each pixel and channel."""

PerChannel = Float[Tensor, "... channel"]
"""One number for each channel of an image."""

PerBatch = Float[Tensor, "..."]
"""One number per image of any batch."""


class Pixelwise(Distribution, ABC):
    """One distribution over (channel, height, width) per image, with independent pixels.

        log p(x) = - sum of nats_per_pixel(x)

    Besides `nats_per_pixel` and `draw`, a member gives `mean` and `mode`, in [0, 1]-image space, and its `support`.

    Args:
        shape: (..., channel, height, width).
    """

    def __init__(self, shape: torch.Size):
        super().__init__(shape[:-3], shape[-3:], validate_args=False)

    @abstractmethod
    def nats_per_pixel(self, x: Pixels) -> Pixels:
        """-log p of each pixel and channel, in nats. Images broadcast against the batch of distributions."""

    def nats_per_channel(self, x: Pixels) -> PerChannel:
        """-log p of each channel of an image, in nats: the sum over its pixels. A member may do it faster."""
        return self.nats_per_pixel(x).sum((-2, -1))

    @abstractmethod
    def draw(self, shape: torch.Size) -> Pixels:
        """Images of that whole shape, whose last dimensions are those of the batch and of an image."""

    def log_prob(self, value: Pixels) -> PerBatch:
        """log p(x) in nats per image: the sum over channel, height and width."""
        return -self.nats_per_channel(value).sum(-1)

    @torch.no_grad()
    def sample(self, sample_shape: _size = ()) -> Pixels:
        """Images: (*sample_shape, image, channel, height, width)."""
        return self.draw(self._extended_shape(torch.Size(sample_shape)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'x'.join(map(str, self.batch_shape + self.event_shape))})"


class Density(Pixelwise):
    """A density over grey pixels whose distribution function is known, so that it can be binned into grey levels."""

    @abstractmethod
    def log_interval(self, lower: Tensor, upper: Tensor) -> Pixels:
        """log P(lower < x < upper) of each pixel, without cancellation in the tails; lower < upper, both finite."""
