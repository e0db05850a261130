"""The contract of every likelihood."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.distributions import Distribution

from vaelab.settings.ranges import Settings

DataSpace = Literal["binary", "unit", "levels"]
"""On what a likelihood puts its probability: pixels that are 0 or 1; a density over [0, 1] (or the
real line around it); 2^k evenly spaced grey levels in [0, 1]. Log-likelihoods may be compared within one space only."""


@dataclass(frozen=True, kw_only=True)
class Likelihood(Settings, ABC):
    """p(x|z) from what the decoder network gives: a plain value, without weights.

    A decoder gives `planes` numbers per pixel and channel, laid out as (image, planes * channel, height, width) with
    the planes of one kind together: first `channel` planes of the first kind, then `channel` planes of the second.
    """

    space: ClassVar[DataSpace]
    """The data space of which `log_prob` speaks."""
    normalized: ClassVar[bool] = True
    """False where exp(log_prob) does not sum (integrate) to one over its data space."""

    @property
    def planes(self) -> int:
        """How many numbers per pixel and channel the decoder must give."""
        return 1

    def free_parameters(self, channels: int) -> dict[str, Tensor]:
        """Initial values of what is learnt once for all images, such as a global scale; the model holds them."""
        return {}

    @abstractmethod
    def __call__(self, raw: Tensor, free: Mapping[str, Tensor]) -> Distribution:
        """p(x|z) as one distribution per image, its event shape (channel, height, width).

        Its `log_prob(x)` is in nats per image (images in [0, 1], as fed to the model); it has `sample`, `mean` and
        `mode`.

        Args:
            raw: The decoder's output, float32, (image, planes * channel, height, width).
            free: The learnt values of `free_parameters`.
        """

    def split(self, raw: Tensor) -> tuple[Tensor, ...]:
        """raw as `planes` tensors of shape (image, channel, height, width)."""
        return torch.chunk(raw, self.planes, dim=1)
