"""The contract of every objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from vaelab.models import Model
from vaelab.shapes import Images, PerImage

Terms = dict[str, PerImage]
"""The parts of an objective by name, each in nats per image. ``loss`` is what is minimised."""


@dataclass(frozen=True, kw_only=True)
class Objective(ABC):
    """What training minimises."""

    @abstractmethod
    def __call__(self, model: Model, x: Images, step: int | None) -> Terms:
        """``loss``, ``elbo``, ``distortion``, ``rate`` and what else the objective is made of, one value per image.

        Args:
            model: The model.
            x: Images in [0, 1].
            step: Optimiser steps taken so far, in which the weights' schedules count; None: as at the end of every
                schedule, which is how held-out images are judged all through training.
        """
