"""What one optimiser step computes: tensors in, terms out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from vaelab.models import Conditions, Model
from vaelab.objectives import Objective, Staged
from vaelab.penalties import TrainingImages
from vaelab.schedules import Time
from vaelab.shapes import Images, Noise, PerImage, Scalar

_START_IMAGES, _START_PIXELS = 16_384, 1 << 28
"""From so many images' codes a prior that learns begins, or from fewer where they are large: 1 GB of float32."""


class Outcome(NamedTuple):
    """What a step computed of a batch."""

    terms: Staged
    """By stage and name, one value per image; the ``loss`` of the whole is what the model minimises."""
    encoded: Any
    """What `Step.critic_loss` needs of the batch."""


class Step(nn.Module, ABC):
    """What the loop trains: a model, and what learns beside it.

    `forward` is a pure function of tensors and weights: what changes over time comes in as t, what is random as noise,
    and it branches on no value, so that it can be captured as one graph, or wrapped for several devices.
    """

    model: nn.Module
    """Whose weights minimise the loss."""
    companions: nn.Module
    """What learns beside the model by a loss of its own, such as critics; frozen meanwhile."""
    pretrain_steps: int = 0
    """Steps at the beginning in which `preparing` is true."""
    preparing: bool = False
    """Set by the loop. A step has two forms at most: while it prepares, and after."""

    @property
    @abstractmethod
    def noise_dims(self) -> tuple[int, ...]:
        """Standard normal numbers that `forward` needs for each image, in the blocks in which they are drawn."""

    @abstractmethod
    def forward(
        self, x: Images, condition: Conditions | None, weight: PerImage | None, t: Time | None, noise: Noise
    ) -> Outcome:
        """The terms of a batch.

        Args:
            x: Images in [0, 1].
            condition: Of each image, if the model takes any.
            weight: What each image's loss is multiplied by; None: 1.
            t: Optimiser steps taken so far; None: on held-out images, with every schedule at its end.
            noise: As many numbers per image as `noise_dims` says.
        """

    def critic_loss(self, encoded: Any) -> Scalar | None:
        """What the companions minimise, cut off from the model; None: there is nothing to learn."""
        return None

    def start(self, images: TrainingImages, seed: int) -> None:
        """Sets what begins from training images, once, when the preparation is over; nothing unless overridden."""

    def draw_noise(self, num_images: int, device: torch.device) -> Noise:
        """The noise of a batch, from torch's generator, which the loop seeds by the training's seed and the step.

        An image's noise follows from its position in the whole batch: a process that computes a part of the batch draws
        the noise of all and keeps its rows.
        """
        return torch.cat([torch.randn(num_images, dim, device=device) for dim in self.noise_dims], 1)


class ObjectiveStep(Step):
    """A model that minimises an objective."""

    model: Model

    def __init__(self, model: Model, objective: Objective, companions: nn.Module):
        super().__init__()
        self.model = model  # pyright: ignore[reportIncompatibleVariableOverride]
        self.companions, self.objective = companions, objective
        self.pretrain_steps = objective.pretrain_steps

    @property
    def noise_dims(self) -> tuple[int, ...]:
        """See Step."""
        return self.objective.noise_dims(self.model)

    def forward(
        self, x: Images, condition: Conditions | None, weight: PerImage | None, t: Time | None, noise: Noise
    ) -> Outcome:
        """See Step."""
        model = self.model.given(condition)
        encoded = self.objective.encode(model, x, noise)
        preparing = self.preparing and t is not None
        terms = self.objective.terms(model, x, encoded, t, self.companions, preparing=preparing)
        return Outcome(weighted(terms, weight), encoded)

    def critic_loss(self, encoded: Any) -> Scalar | None:
        """See Step."""
        return self.objective.critic_loss(encoded, self.companions)

    def start(self, images: TrainingImages, seed: int) -> None:
        """A prior that learns begins from the codes of training images, some thousands at most. See Step."""
        if self.model.learns_prior:
            count = min(_START_IMAGES, _START_PIXELS // math.prod(self.model.image_shape))
            rows = np.random.default_rng([seed, 2**32]).permutation(images.train)[:count]
            images.given(self.model, rows).start_prior(images.feed(rows), seed)


def weighted(terms: Staged, weight: PerImage | None) -> Staged:
    """The terms with the loss of each image, and the penalty in it, multiplied by its weight."""
    if weight is None:
        return terms
    return {
        stage: {name: value * weight if name in ("loss", "penalty") else value for name, value in own.items()}
        for stage, own in terms.items()
    }


def noise_seed(seed: int, step: int) -> int:
    """Of the random numbers of one step; it follows from the training's seed and the step alone."""
    return (seed * 0x9E3779B97F4A7C15 + (step + 2) * 0xBF58476D1CE4E5B9) % 2**63


def seed_noise(seed: int, step: int) -> None:
    """Sets torch's random generators to the state of one step."""
    state = noise_seed(seed, step)
    torch.default_generator.manual_seed(state)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(state)
