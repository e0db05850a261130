"""The contract of every critic."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import nn

from vaelab.settings.ranges import Settings


@dataclass(frozen=True, kw_only=True)
class Critic(Settings, ABC):
    """The setting of a network that scores pairs (a, b)."""

    @abstractmethod
    def build(self, first_shape: tuple[int, ...], second_dim: int) -> nn.Module:
        """A module from (a, b), (pair, *first_shape) and (pair, second_dim), to their `vaelab.bounds.Scores`.

        Args:
            first_shape: Of one a: (channel, height, width) of an image, or (latent,).
            second_dim: Numbers in one b.
        """

    @abstractmethod
    def num_negatives(self, num_pairs: int) -> int:
        """Negatives that each of so many pairs is scored with."""
