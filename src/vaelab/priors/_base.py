"""The contract of every prior."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True, kw_only=True)
class Prior(ABC):
    """The setting of a prior over latents."""

    @abstractmethod
    def build(self, latent_dim: int) -> nn.Module:
        """A module that holds the prior's weights, if any, and gives, when called, the distribution over (latent,)."""
