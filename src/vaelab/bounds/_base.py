"""The contract of every bound on mutual information."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from vaelab.settings.ranges import Settings
from vaelab.shapes import Scalar

Joint = Float[Tensor, " pair"]
Marginal = Float[Tensor, "pair negative"]


class Scores(NamedTuple):
    """What a critic gives pairs (a, b): high where it takes them for pairs that belong together."""

    joint: Joint
    """Of pairs that do, drawn from p(a, b)."""
    marginal: Marginal
    """Of each pair's a with b's of other pairs, so drawn from p(a) p(b)."""


class Estimator(nn.Module, ABC):
    """A bound at work, with what it remembers from step to step, if anything."""

    @abstractmethod
    def forward(self, scores: Scores) -> Scalar:
        """The bound's value, in nats. It draws no random numbers and leaves the estimator as it was."""

    def surrogate(self, scores: Scores) -> Scalar:
        """What critic and encoder ascend: its gradient is the one to follow, its value need not be the bound's."""
        return self(scores)


@dataclass(frozen=True, kw_only=True)
class Bound(Settings, ABC):
    """The setting of a lower bound on the mutual information I(a; b), in nats."""

    @abstractmethod
    def build(self) -> Estimator:
        """An estimator that has seen nothing yet."""

    @abstractmethod
    def ceiling(self, num_negatives: int) -> float:
        """The largest value, in nats, that it can take with so many negatives a pair; infinity where there is none."""
