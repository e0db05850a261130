"""What is trained on, and a training under way."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from vaelab.data.feed import Feed
from vaelab.models import Conditions, Model
from vaelab.shapes import PerImage
from vaelab.training.step import Step

Means = dict[str, dict[str, float]]
"""By stage and name, the mean of every term over images, in nats per image."""


Taken = tuple[list[tuple[str, str]], Tensor]
"""Of a step: the stage and name of every term, and their means over the batch, left on the device."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Batches:
    """The images that a model is trained on, and those by which it is judged on the way."""

    feed: Feed
    """Gives images by row."""
    train: np.ndarray
    """Rows to train on."""
    validation: np.ndarray
    """Rows to validate on; may be empty."""
    weights: np.ndarray | None = None
    """One weight per row of the collection, by which its image's loss is multiplied."""
    conditions: np.ndarray | None = None
    """(image, number): the condition of each row of the collection; None for a model that takes none."""

    later: np.ndarray | None = None
    """Rows that are not trained on before `later_step`; None: there are none."""
    later_step: int | None = None
    """None: never."""

    def has_all(self, step: int) -> bool:
        """Whether all training rows are trained on after so many steps."""
        return self.later is None or (self.later_step is not None and step >= self.later_step)

    def at(self, step: int) -> Batches:
        """Those that are trained on after so many steps."""
        if self.later is None or self.has_all(step):
            return self
        return replace(self, train=np.setdiff1d(self.train, self.later, assume_unique=True))

    def given(self, model: Model, rows: np.ndarray) -> Model:
        """The model for the images of these rows, under their conditions."""
        return model.given(self.conditions_of(rows))

    def conditions_of(self, rows: np.ndarray) -> Conditions | None:
        """The conditions of these rows, if images have any."""
        if self.conditions is None:
            return None
        return torch.from_numpy(self.conditions[rows]).to(self.feed.device)

    def weights_of(self, rows: np.ndarray) -> PerImage | None:
        """The weights of these rows, if images have any."""
        if self.weights is None:
            return None
        return torch.from_numpy(self.weights[rows].astype(np.float32)).to(self.feed.device)


@dataclass(eq=False, kw_only=True)
class State:
    """A training under way: everything that a resumed one needs to go on as if nothing had happened."""

    computes: Step
    """What is trained: a model, and what learns beside it."""
    optimizer: torch.optim.Optimizer
    critic_optimizer: torch.optim.Optimizer | None = None
    """Of the companions' weights, if there are any; they are frozen but for their own step."""
    num_steps: int
    """Steps that the training is to take in all."""
    steps_per_epoch: int
    """Steps in a pass over the training images."""
    step: int = 0
    """Steps taken so far."""
    totals: Tensor = field(default_factory=lambda: torch.zeros(0))
    """Sums of the terms over the steps since the last line of the log."""
    counted: int = 0
    """Steps in `totals`."""
    best: float = math.inf
    """Lowest validation loss so far, in nats per image."""
    best_step: int = 0
    """Step at which it was reached."""
    waited: int = 0
    """Validations since then."""
    prior_started: bool = False
    """Whether a prior that learns has begun from the codes of training images, or from another run."""
    stop: str = ""
    """Why to stop after this step; empty to go on."""
    terms: Means | None = None
    """Means over the steps since the last line of the log, at the steps where one is due; else None."""
    validation: Means | None = None
    """Means over the validation images, at the steps where they were measured; else None."""

    @property
    def model(self) -> nn.Module:
        """What is trained."""
        return self.computes.model

    @property
    def companions(self) -> nn.Module:
        """What learns beside the model, such as critics."""
        return self.computes.companions

    @property
    def epoch(self) -> float:
        """Passes over the training images so far."""
        return self.step / self.steps_per_epoch

    @property
    def is_best(self) -> bool:
        """Whether this step's validation is the best so far."""
        return self.validation is not None and self.best_step == self.step

    @property
    def learning_rate(self) -> float:
        """The optimiser's step size."""
        return float(self.optimizer.param_groups[0]["lr"])
