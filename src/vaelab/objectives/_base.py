"""The contract of every objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, TypeVar

import numpy as np
import torch
from torch import nn

from vaelab import ranks
from vaelab.catalogue import name_of
from vaelab.distributions import sample_with
from vaelab.errors import InputError
from vaelab.models import Model, ModelConfig
from vaelab.penalties import Encoded, Penalty, Term, TrainingImages
from vaelab.schedules import Time, time_of
from vaelab.settings.ranges import Settings
from vaelab.shapes import Images, Noise, PerImage, Scalar

Terms = dict[str, PerImage]
"""The parts of an objective by name, each in nats per image."""
Staged = dict[str, Terms]
"""The terms of each stage of a model. What is minimised is the ``loss`` of the whole, whose stage has an empty name."""
E = TypeVar("E")
Same = TypeVar("Same", bound="Objective")


@dataclass(frozen=True, kw_only=True)
class Objective(Settings, ABC, Generic[E]):
    """What training minimises.

    A step encodes its images once. From that the terms are computed, whose loss the model minimises, and then the loss
    of the critics, if the objective has any.
    """

    known_as: ClassVar[str] = ""
    """What others call a model with this part; empty: nothing particular."""
    words: ClassVar[dict[str, Term]] = {
        "loss": Term("Loss", "what was minimised; lower is better"),
        "elbo": Term("ELBO", "higher is better"),
        "distortion": Term("Distortion", "minus the expected log p(x|z); lower is better"),
        "rate": Term("Rate", "KL(q(z|x) || p(z)): what the code carries"),
        "penalty": Term("Penalties", "their weighted sum, as it is in the loss", group="Penalties"),
    }
    """What its terms are called, by their names."""

    def check(self, model: ModelConfig) -> None:
        """Refuses a model that the objective cannot train, with the reason."""

    @property
    def pretrain_steps(self) -> int:
        """Steps at the beginning that prepare the model; after them a prior that learns begins from its codes."""
        return 0

    def without_schedules(self: Same) -> Same:
        """The same with every schedule at its end, to train a finished model on."""
        return self

    @abstractmethod
    def with_penalty(self: Same, penalty: Penalty, stage: str | None = None) -> Same:
        """The same with one more penalty in a stage (None: the last), in place of one of its kind."""

    @property
    @abstractmethod
    def by_stage(self) -> dict[str, SingleObjective]:
        """What each stage of the model minimises."""

    def build(self, model: Model, images: TrainingImages) -> nn.Module:
        """What the objective holds while a model is trained, such as critics: its companions.

        Args:
            model: The model that is trained.
            images: What it is trained on.
        """
        return nn.Module()

    @abstractmethod
    def noise_dims(self, model: Model) -> tuple[int, ...]:
        """How many standard normal numbers a step needs for each image, in the blocks in which they are drawn."""

    @abstractmethod
    def encode(self, model: Model, x: Images, noise: Noise) -> E:
        """The batch with its codes: what `terms` and `critic_loss` need of it.

        Args:
            model: The model.
            x: Images in [0, 1].
            noise: The blocks of `noise_dims`, side by side.
        """

    @abstractmethod
    def terms(
        self, model: Model, x: Images, encoded: E, t: Time | None, companions: nn.Module, *, preparing: bool = False
    ) -> Staged:
        """By stage ``elbo``, ``distortion``, ``rate`` and what else the objective is made of, one value per image.

        Args:
            model: The model.
            x: Images in [0, 1].
            encoded: As `encode` gave it.
            t: Optimiser steps taken so far, in which the weights' schedules count; None: as at the end of every
                schedule, which is how held-out images are judged all through training.
            companions: As `build` gave it.
            preparing: Whether t is below `pretrain_steps`.
        """

    def critic_loss(self, encoded: E, companions: nn.Module) -> Scalar | None:
        """What the companions' weights minimise, cut off from the model; None: there is nothing to learn."""
        return None

    def draw_noise(self, model: Model, num_images: int) -> Noise:
        """(image, number): the noise of a batch, from torch's global generator, on the model's device."""
        like = next(model.parameters())
        blocks = [torch.randn(num_images, dim, device=like.device) for dim in self.noise_dims(model)]
        return torch.cat(blocks, 1)

    def staged(self, model: Model, x: Images, step: int | None = None, companions: nn.Module | None = None) -> Staged:
        """The terms of these images by stage. No companions: fresh ones, as if `x` were all images."""
        if companions is None:
            companions = self.build(model, _These(x, model)).to(x.device)
        encoded = self.encode(model, x, self.draw_noise(model, len(x)))
        t, preparing = None if step is None else time_of(step), step is not None and step < self.pretrain_steps
        return self.terms(model, x, encoded, t, companions, preparing=preparing)

    def __call__(self, model: Model, x: Images, step: int | None = None, companions: nn.Module | None = None) -> Terms:
        """The terms of the whole; see `staged`."""
        return self.staged(model, x, step, companions)[""]


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
        super().__post_init__()
        kinds = [name_of(penalty) for penalty in self.penalties]
        twice = sorted({kind for kind in kinds if kinds.count(kind) > 1})
        if twice:
            raise InputError("penalties", "be of different kinds", f"{twice[0]} more than once")

    def check(self, model: ModelConfig) -> None:
        """See Objective."""
        if len(model.stages()) > 1:
            mend = "Take the objective two_stage."
            raise InputError("objective", "train both stages of a two-stage model", name_of(self), mend)
        for penalty in self.penalties:
            with penalty.named(f"penalties.{name_of(penalty)}"):
                penalty.check(model)

    def with_penalty(self, penalty: Penalty, stage: str | None = None) -> SingleObjective:
        """See Objective."""
        others = tuple(part for part in self.penalties if name_of(part) != name_of(penalty))
        return replace(self, penalties=(*others, penalty))

    @property
    def by_stage(self) -> dict[str, SingleObjective]:
        """See Objective."""
        return {"": self}

    def build(self, model: Model, images: TrainingImages) -> nn.Module:
        """See Objective."""
        built = {name_of(penalty): penalty.build(model, images, model.coded_shape) for penalty in self.penalties}
        return nn.ModuleDict(built)

    def noise_dims(self, model: Model) -> tuple[int, ...]:
        """See Objective: one sample of the latents."""
        return (model.latent_dim,)

    def encode(self, model: Model, x: Images, noise: Noise) -> Encoded:
        """See Objective."""
        return encoded_by(model.encode(x), x, model, noise)

    @abstractmethod
    def nats(self, model: Model, x: Images, encoded: Encoded, t: Time | None, *, preparing: bool) -> Terms:
        """The terms without penalties."""

    def terms(
        self,
        model: Model,
        x: Images,
        encoded: Encoded,
        t: Time | None,
        companions: nn.Module,
        *,
        preparing: bool = False,
    ) -> Staged:
        """See Objective; ``penalty`` is the weighted sum of what the penalties cost."""
        terms = self.nats(model, x, encoded, t, preparing=preparing)
        if not self.penalties:
            return {"": terms}
        zeros = total = terms["loss"].new_zeros(len(x))
        reports, whole = {}, encoded.whole()
        model = _given_whole(model)
        for penalty in self.penalties:
            charge = penalty(model, whole, companions.get_submodule(name_of(penalty)), t)
            total = total + penalty.weight * (ranks.part(charge.cost) if charge.cost.dim() else charge.cost)
            reports |= {name: zeros + value for name, value in charge.reports.items()}
        return {"": {**terms, "loss": terms["loss"] + total, "penalty": total, **reports}}

    def critic_loss(self, encoded: Encoded, companions: nn.Module) -> Scalar | None:
        """See Objective."""
        detached = encoded.detached().whole()
        losses = (each.critic_loss(detached, companions.get_submodule(name_of(each))) for each in self.penalties)
        found = [loss for loss in losses if loss is not None]
        return sum(found[1:], found[0]) if found else None


def _given_whole(model: Model) -> Model:
    """The model for the images of the whole batch, where several ranks have a part of it each."""
    if not ranks.are_several() or model.conditions is None or len(model.conditions) == 1:
        return model
    return model.given(ranks.gather(model.conditions))


def encoded_by(q: torch.distributions.Independent, source: torch.Tensor, model: Model, noise: Noise) -> Encoded:
    """A batch with a sample of each posterior, by the noise; what is left of the noise goes with it."""
    dim = model.latent_dim
    return Encoded(
        source, q, sample_with(q, noise[:, :dim]), model.prior, noise[:, dim:] if noise.shape[1] > dim else None
    )
