"""The contract of every penalty."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from vaelab import ranks
from vaelab.models import Model, ModelConfig
from vaelab.schedules import Time
from vaelab.settings.ranges import NotNegative, Settings
from vaelab.shapes import Images, Latents, Numbers, PerImage, Scalar, Source


@runtime_checkable
class TrainingImages(Protocol):
    """The collection that a model is trained on."""

    @property
    def train(self) -> np.ndarray:
        """Rows that it is trained on."""
        ...

    def feed(self, rows: np.ndarray, /) -> Images:
        """The images of these rows of the collection."""
        ...

    def given(self, model: Model, rows: np.ndarray) -> Model:
        """The model for the images of these rows, under their conditions."""
        ...


class Encoded(NamedTuple):
    """A batch on its way through a model."""

    source: Source
    """What the latents are a code of: images, (image, channel, height, width), or the latents of a first stage."""
    q: Independent
    """q(z|x), a batch of distributions over (latent,)."""
    z: Latents
    """One sample of each."""
    prior: Distribution
    """p(z)."""
    more: Numbers | None = None
    """(image, number): standard normal noise for further samples, where the objective takes several."""

    def detached(self) -> Encoded:
        """The same, cut off from the model: no gradient flows back into it."""
        base = self.q.base_dist
        q = Independent(Normal(base.loc.detach(), base.scale.detach(), validate_args=False), 1, validate_args=False)
        return Encoded(self.source.detach(), q, self.z.detach(), self.prior)

    def whole(self) -> Encoded:
        """The same of the whole batch, where several ranks have a part of it each; with gradients."""
        if not ranks.are_several():
            return self
        base = self.q.base_dist
        q = Independent(
            Normal(ranks.gather(base.loc), ranks.gather(base.scale), validate_args=False), 1, validate_args=False
        )
        return Encoded(ranks.gather(self.source), q, ranks.gather(self.z), self.prior)


class Term(NamedTuple):
    """What a reader should know of a number that training logs."""

    title: str
    """As a heading."""
    note: str = ""
    """What it is, in a few words."""
    unit: str = "nats per image"
    """Its unit."""
    group: str = "The objective"
    """The heading that it stands under, beside its like."""


@dataclass(frozen=True, kw_only=True)
class Charge:
    """What a penalty says of a batch."""

    cost: PerImage | Scalar
    """What is multiplied by the weight and added to the loss; one number for the batch, or one per image."""
    reports: dict[str, Tensor | float] = field(default_factory=dict)
    """What the log shows of it, by name; detached."""


@dataclass(frozen=True, kw_only=True)
class Penalty(Settings, ABC):
    """What an objective adds to distortion and rate.

    loss = distortion + rate_weight * rate + sum over penalties of weight * cost
    """

    known_as: ClassVar[str] = ""
    """What others call a model with this part; empty: nothing particular."""
    words: ClassVar[dict[str, Term]] = {}
    """What its reports are called, by their names."""

    weight: NotNegative = 1.0
    """What the cost is multiplied by."""

    def check(self, model: ModelConfig) -> None:
        """Refuses a model, or a stage of one, with which the penalty makes no sense, with the reason."""
        return

    def build(self, model: Model, images: TrainingImages, source_shape: tuple[int, ...]) -> nn.Module:
        """What the penalty holds while the model is trained, such as a critic with its weights; its companion.

        Args:
            model: The model that is trained, or the stage of it.
            images: What it is trained on.
            source_shape: Of what the latents of one image are a code of.
        """
        return nn.Module()

    @abstractmethod
    def __call__(self, model: Model, encoded: Encoded, companion: nn.Module, t: Time | None) -> Charge:
        """The cost of a batch. Gradients flow to the model; the companion's weights are frozen meanwhile.

        Args:
            model: The model, or the stage of it, that encoded the batch.
            encoded: The whole batch, on each rank where there are several.
            companion: As `build` gave it.
            t: Optimiser steps taken so far; None: as at the end of every schedule, on held-out images.
        """

    def critic_loss(self, encoded: Encoded, companion: nn.Module) -> Scalar | None:
        """What the companion's weights minimise, given a detached batch; None where there is nothing to learn."""
        return None
