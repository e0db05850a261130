"""The contract of every objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import numpy as np
import torch
from torch import nn

from vaelab.catalogue import name_of
from vaelab.errors import InputError
from vaelab.models import Model, ModelConfig, TwoStage, TwoStageConfig
from vaelab.penalties import Encoded, Penalty, TrainingImages
from vaelab.shapes import Images, PerImage, Scalar

Terms = dict[str, PerImage]
"""The parts of an objective by name, each in nats per image. ``loss`` is what is minimised."""
E = TypeVar("E")
Same = TypeVar("Same", bound="Objective")


@dataclass(frozen=True, kw_only=True)
class Objective(ABC, Generic[E]):
    """What training minimises.

    A step encodes its images once. From that the terms are computed, whose loss the model minimises, and then the loss
    of the critics, if the objective has any.
    """

    known_as: ClassVar[str] = ""
    """What others call a model with this part; empty: nothing particular."""

    def check(self, model: ModelConfig) -> None:
        """Refuses a model that the objective cannot train, with the reason."""

    @property
    def pretrain_steps(self) -> int:
        """Steps at the beginning that prepare the model; after them a prior that learns begins from its codes."""
        return 0

    def without_schedules(self: Same) -> Same:
        """The same with every schedule at its end, to train a finished model on."""
        return self

    def build(self, model: Model, images: TrainingImages) -> nn.Module:
        """What the objective holds while a model is trained, such as critics: its companions.

        Args:
            model: The model that is trained.
            images: What it is trained on.
        """
        return nn.Module()

    @abstractmethod
    def encode(self, model: Model, x: Images) -> E:
        """The batch with its codes: what `terms` and `critic_loss` need of it."""

    @abstractmethod
    def terms(self, model: Model, x: Images, encoded: E, step: int | None, companions: nn.Module) -> Terms:
        """``loss``, ``elbo``, ``distortion``, ``rate`` and what else the objective is made of, one value per image.

        Args:
            model: The model.
            x: Images in [0, 1].
            encoded: As `encode` gave it.
            step: Optimiser steps taken so far, in which the weights' schedules count; None: as at the end of every
                schedule, which is how held-out images are judged all through training.
            companions: As `build` gave it.
        """

    def critic_loss(self, encoded: E, companions: nn.Module) -> Scalar | None:
        """What the companions' weights minimise, cut off from the model; None: there is nothing to learn."""
        return None

    def __call__(self, model: Model, x: Images, step: int | None = None, companions: nn.Module | None = None) -> Terms:
        """The terms of these images: `encode`, then `terms`. No companions: fresh ones, as if `x` were all images."""
        if companions is None:
            companions = self.build(model, _These(x, model)).to(x.device)
        return self.terms(model, x, self.encode(model, x), step, companions)


class _These:
    """A batch taken for the whole collection."""

    def __init__(self, x: Images, model: Model):
        self.x, self.conditions, self.train = x, model.conditions, np.arange(len(x))

    def feed(self, rows: np.ndarray) -> Images:
        return self.x[torch.from_numpy(rows)]

    def given(self, model: Model, rows: np.ndarray) -> Model:
        return model if self.conditions is None else model.given(self.conditions[torch.from_numpy(rows)])


@dataclass(frozen=True, kw_only=True)
class SingleObjective(Objective[Encoded]):
    """What is minimised of one encoder and one decoder: nats, and penalties beside them."""

    penalties: tuple[Penalty, ...] = ()
    """What is added to the loss, each of another kind."""

    def __post_init__(self):
        kinds = [name_of(penalty) for penalty in self.penalties]
        twice = sorted({kind for kind in kinds if kinds.count(kind) > 1})
        if twice:
            raise InputError("objective.penalties", "be of different kinds", f"{twice[0]} more than once")

    def check(self, model: ModelConfig) -> None:
        """See Objective."""
        if isinstance(model, TwoStageConfig):
            mend = "Take the objective two_stage."
            raise InputError("objective", "train both stages of a two-stage model", name_of(self), mend)
        for penalty in self.penalties:
            penalty.check(model)

    def build(self, model: Model, images: TrainingImages) -> nn.Module:
        """See Objective."""
        source = model.coded_shape if isinstance(model, TwoStage) else model.image_shape
        return nn.ModuleDict({name_of(penalty): penalty.build(model, images, source) for penalty in self.penalties})

    def encode(self, model: Model, x: Images) -> Encoded:
        """See Objective."""
        q = model.encode(x)
        return Encoded(x, q, q.rsample(), model.prior)

    @abstractmethod
    def nats(self, model: Model, x: Images, encoded: Encoded, step: int | None) -> Terms:
        """The terms without penalties."""

    def terms(self, model: Model, x: Images, encoded: Encoded, step: int | None, companions: nn.Module) -> Terms:
        """See Objective; ``penalty`` is the weighted sum of what the penalties cost."""
        terms = self.nats(model, x, encoded, step)
        if not self.penalties:
            return terms
        zeros = total = terms["loss"].new_zeros(len(x))
        reports = {}
        for penalty in self.penalties:
            charge = penalty(model, encoded, companions.get_submodule(name_of(penalty)), step)
            total = total + penalty.weight * charge.cost
            reports |= {name: zeros + value for name, value in charge.reports.items()}
        return {**terms, "loss": terms["loss"] + total, "penalty": total, **reports}

    def critic_loss(self, encoded: Encoded, companions: nn.Module) -> Scalar | None:
        """See Objective."""
        detached = encoded.detached()
        losses = (each.critic_loss(detached, companions.get_submodule(name_of(each))) for each in self.penalties)
        found = [loss for loss in losses if loss is not None]
        return sum(found[1:], found[0]) if found else None
