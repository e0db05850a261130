"""The loop: it gives one step after another, and whoever runs it takes what it wants from each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from vaelab.data.feed import Feed
from vaelab.errors import InputError
from vaelab.models import Model
from vaelab.objectives import Objective
from vaelab.training.choices import Choices
from vaelab.training.config import Training

Means = dict[str, float]
"""Mean of every term of the objective over images, in nats per image."""


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


@dataclass(eq=False, kw_only=True)
class State:
    """A training under way: everything that a resumed one needs to go on as if nothing had happened."""

    model: Model
    optimizer: torch.optim.Optimizer
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
    stop: str = ""
    """Why to stop after this step; empty to go on."""
    terms: Means | None = None
    """Means over the steps since the last line of the log, at the steps where one is due; else None."""
    validation: Means | None = None
    """Means over the validation images, at the steps where they were measured; else None."""

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
        return self.optimizer.param_groups[0]["lr"]


def begin(model: Model, training: Training, num_images: int) -> State:
    """A training at step 0, for so many training images."""
    if num_images < 1:
        raise InputError(
            "training images", "be at least 1", num_images, "Leave more images to data.split's training part."
        )
    device = next(model.parameters()).device
    optimizer = torch.optim.Adam(
        model.parameters(),
        lr=training.learning_rate,
        eps=training.adam_epsilon,
        fused=True,
        capturable=device.type == "cuda",
    )
    steps_per_epoch = max(1, num_images // training.batch_size)
    num_steps = training.num_steps or max(1, round(training.num_epochs * steps_per_epoch))
    return State(model=model, optimizer=optimizer, num_steps=num_steps, steps_per_epoch=steps_per_epoch)


def train(
    state: State, objective: Objective, batches: Batches, training: Training, choices: Choices, seed: int = 0
) -> Iterator[State]:
    """Takes one optimiser step after another and gives the state after each, until all are taken or `stop` is set.

    The order of the images follows from the seed and the pass, the noise from the seed and the step, so nothing that is
    done between two steps can change the result.

    Raises:
        InputError: The loss or a weight is not finite any more.
    """
    model = state.model
    batch_size = min(training.batch_size, len(batches.train))
    order, order_epoch = np.zeros(0, np.int64), -1
    with choices.applied(model):
        _match_layout(state.optimizer)
        model.train()
        while state.step < state.num_steps and not state.stop:
            epoch, position = divmod(state.step, state.steps_per_epoch)
            if epoch != order_epoch:
                order = batches.train[np.random.default_rng([seed, epoch]).permutation(len(batches.train))]
                order_epoch = epoch
            _set_learning_rate(state.optimizer, training, state.step, state.num_steps)
            rows = order[position * batch_size : (position + 1) * batch_size]
            names, means = _step(state, objective, batches, rows, training.clip_norm, seed)
            state.totals = means if state.counted == 0 else state.totals + means
            state.counted += 1
            state.step += 1
            _report(state, names, objective, batches, training, choices, seed)
            yield state


def step_terms(
    model: Model, objective: Objective, x: Tensor, step: int | None, weights: Tensor | None
) -> dict[str, Tensor]:
    """The objective's terms, the loss of each image multiplied by its weight."""
    terms = objective(model, x, step)
    return terms if weights is None else {**terms, "loss": terms["loss"] * weights}


def validate(model: Model, objective: Objective, batches: Batches, seed: int = 0) -> Means:
    """Means of the terms over the validation images: float32, the noise the same each time, schedules at their end."""
    was_training, dtype = model.training, model.network_dtype
    model.eval()
    model.network_dtype = torch.float32
    sums: dict[str, float] = {}
    try:
        with torch.no_grad():
            seed_noise(seed, -1)
            for start in range(0, len(batches.validation), 256):
                rows = batches.validation[start : start + 256]
                terms = step_terms(model, objective, batches.feed(rows), None, _weights(batches, rows))
                for name, values in terms.items():
                    sums[name] = sums.get(name, 0.0) + values.double().sum().item()
    finally:
        model.train(was_training)
        model.network_dtype = dtype
    return {name: total / len(batches.validation) for name, total in sums.items()}


def seed_noise(seed: int, step: int) -> None:
    """Sets torch's random generators to a state that follows from seed and step alone."""
    state = (seed * 0x9E3779B97F4A7C15 + (step + 2) * 0xBF58476D1CE4E5B9) % 2**63
    torch.default_generator.manual_seed(state)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(state)


def _step(
    state: State, objective: Objective, batches: Batches, rows: np.ndarray, clip_norm: float | None, seed: int
) -> tuple[list[str], Tensor]:
    """One optimiser step; the terms' names, and their means over the batch, left on the device."""
    seed_noise(seed, state.step)
    x = batches.feed(rows)
    terms = step_terms(state.model, objective, x, state.step, _weights(batches, rows))
    state.optimizer.zero_grad(set_to_none=True)
    terms["loss"].mean().backward()
    if clip_norm is not None:
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), clip_norm)
    state.optimizer.step()
    return list(terms), torch.stack([values.detach() for values in terms.values()]).mean(1)


def _report(
    state: State,
    names: list[str],
    objective: Objective,
    batches: Batches,
    training: Training,
    choices: Choices,
    seed: int,
) -> None:
    """Fetches the terms and validates, at the steps where that is due."""
    state.terms = state.validation = None
    done = state.step == state.num_steps
    if state.step % training.log_every == 0 or done:
        values = (state.totals / state.counted).tolist()
        state.terms = dict(zip(names, values, strict=True))
        state.counted = 0
        if not all(map(math.isfinite, values)):
            raise diverged(state.step, "the loss")
    if len(batches.validation) and (state.step % (training.validate_every or state.steps_per_epoch) == 0 or done):
        state.validation = validate(state.model, objective, batches, seed)
        if state.validation["loss"] < state.best:
            state.best, state.best_step, state.waited = state.validation["loss"], state.step, 0
        else:
            state.waited += 1
        if training.patience and state.waited >= training.patience:
            state.stop = f"no better validation loss than at step {state.best_step:,} in {state.waited} validations"


def diverged(step: int, what: str) -> InputError:
    """The error of a training whose numbers are not finite any more."""
    return InputError(
        "training", "keep finite numbers", f"{what} not finite by step {step:,}",
        "Try a smaller training.learning_rate or a training.clip_norm.",
    )  # fmt: skip


def _weights(batches: Batches, rows: np.ndarray) -> Tensor | None:
    if batches.weights is None:
        return None
    return torch.from_numpy(batches.weights[rows].astype(np.float32)).to(batches.feed.device)


def _match_layout(optimizer: torch.optim.Optimizer) -> None:
    """Lays the moments out in memory as their parameters are: the fused optimiser walks through both side by side."""
    for parameter, moments in optimizer.state.items():
        for name, value in moments.items():
            if value.shape == parameter.shape:
                moments[name] = torch.empty_like(parameter).copy_(value)


def _set_learning_rate(optimizer: torch.optim.Optimizer, training: Training, step: int, num_steps: int) -> None:
    factor = 1.0
    if training.schedule == "cosine":
        factor = 0.5 * (1 + math.cos(math.pi * step / num_steps))
    elif training.schedule == "step":
        factor = 0.1 ** ((step >= num_steps * 2 / 3) + (step >= num_steps * 5 / 6))
    for group in optimizer.param_groups:
        group["lr"] = training.learning_rate * factor
