"""What changes while a model is trained, as functions of t: the optimiser steps taken so far.

t is a tensor and so is the value, so that one computed step serves all times. t = None means the end of the schedule,
which is how held-out images are judged all through training.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

Time = Float64[Tensor, ""]
"""Optimiser steps taken so far."""


def time_of(step: int, device: torch.device | str = "cpu") -> Time:
    """So many optimiser steps as t.

    >>> time_of(3)
    tensor(3., dtype=torch.float64)
    """
    return torch.tensor(float(step), dtype=torch.float64, device=device)


@dataclass(frozen=True)
class Schedule(ABC):
    """A number that depends on t."""

    value: float
    """The number that the schedule is a share of."""

    def __call__(self, t: Time | None) -> Time | float:
        """The number at t; at the end for None."""
        return self.end if t is None else self.value * self.share(t)

    @property
    def end(self) -> float:
        """The number in the end."""
        return self.value

    @abstractmethod
    def share(self, t: Time) -> Time:
        """From 0 to 1."""


@dataclass(frozen=True)
class Constant(Schedule):
    """The number as it is."""

    def share(self, t: Time) -> Time:
        """See Schedule."""
        return torch.ones_like(t)


@dataclass(frozen=True)
class Ramp(Schedule):
    """0 until `start`, then in a line up over `steps`, again every `cycle` steps if that is not 0.

    >>> [float(Ramp(2.0, steps=10, start=5)(time_of(step))) for step in (0, 10, 15, 99)]
    [0.0, 1.0, 2.0, 2.0]
    """

    steps: int = 0
    start: int = 0
    cycle: int = 0

    def share(self, t: Time) -> Time:
        """See Schedule."""
        begun = (t >= self.start).to(t)
        since = (t - self.start).clamp(min=0)
        if not self.steps:
            return begun
        return begun * ((since % self.cycle if self.cycle else since) / self.steps).clamp(max=1)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Down to 0 along half a cosine over `steps`.

    >>> schedule = Cosine(2.0, steps=10)
    >>> round(float(schedule(time_of(5))), 6), schedule(None)
    (1.0, 0.0)
    """

    steps: int = 1

    @property
    def end(self) -> float:
        """See Schedule."""
        return 0.0

    def share(self, t: Time) -> Time:
        """See Schedule."""
        return 0.5 * (1 + torch.cos(math.pi * t / self.steps))


@dataclass(frozen=True)
class Drops(Schedule):
    """Times 0.1 at 2/3 and at 5/6 of `steps`.

    >>> schedule = Drops(2.0, steps=6)
    >>> [round(float(schedule(time_of(step))), 6) for step in (0, 4, 5, 6)], schedule(None)
    ([2.0, 0.2, 0.02, 0.02], 0.02)
    """

    steps: int = 1

    @property
    def end(self) -> float:
        """See Schedule."""
        return self.value * 0.01

    def share(self, t: Time) -> Time:
        """See Schedule."""
        drops = (t >= self.steps * 2 / 3).to(t) + (t >= self.steps * 5 / 6).to(t)
        return 0.1**drops
