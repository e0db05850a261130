"""The loop: it gives one step after another, and whoever runs it takes what it wants from each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vaelab import ranks
from vaelab.data.feed import Feed
from vaelab.errors import InputError
from vaelab.models import Conditions, Model, device_of, evaluating
from vaelab.objectives import Objective
from vaelab.schedules import Constant, Cosine, Drops, Schedule, time_of
from vaelab.shapes import PerImage
from vaelab.training.choices import Choices, choose, plain
from vaelab.training.config import Machine, Training
from vaelab.training.memory import is_out_of_memory, too_large
from vaelab.training.step import ObjectiveStep, Step
from vaelab.training.together import check_ranks, synchronised, undone_if_lost

Means = dict[str, dict[str, float]]
"""By stage and name, the mean of every term over images, in nats per image."""


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
        return self.optimizer.param_groups[0]["lr"]


def begin(model: Model, objective: Objective, batches: Batches, training: Training, seed: int = 0) -> State:
    """A training of a model by an objective, at step 0."""
    _refuse_none(batches)
    seed_noise(seed, -3)
    companions = objective.build(model, batches).to(device_of(model)).requires_grad_(False)
    return begin_step(ObjectiveStep(model, objective, companions), batches, training)


def begin_step(computes: Step, batches: Batches, training: Training) -> State:
    """A training of any step, at step 0."""
    _refuse_none(batches)
    num_images, learns = len(batches.train), any(True for _ in computes.companions.parameters())
    check_ranks(min(training.batch_size, num_images))
    return State(
        computes=computes,
        optimizer=_adam(computes.model, training, training.learning_rate),
        critic_optimizer=_adam(computes.companions, training, training.critic_learning_rate) if learns else None,
        num_steps=training.total_steps(num_images),
        steps_per_epoch=training.steps_per_epoch(num_images),
    )


def _refuse_none(batches: Batches) -> None:
    if not len(batches.train):
        mend = "Leave more images to data.split's training part."
        raise InputError("training images", "be at least 1", 0, mend)


def choose_for(
    model: Model,
    objective: Objective,
    batches: Batches,
    training: Training,
    machine: Machine,
    seed: int = 0,
    say: Callable[[str], None] | None = None,
) -> Choices:
    """By timing on the CPU; on a GPU the ways are known to be the faster ones. `say` is told what was chosen.

    Of several ranks the first chooses for all, by a step on its part of a batch.
    """
    return ranks.first(lambda: _chosen(model, objective, batches, training, machine, seed, say))


def _chosen(
    model: Model,
    objective: Objective,
    batches: Batches,
    training: Training,
    machine: Machine,
    seed: int,
    say: Callable[[str], None] | None,
) -> Choices:
    rows = batches.train[: training.batch_size]
    companions = begin(model, objective, batches, training, seed).companions
    rows = rows[: len(rows) // ranks.count()]
    x = batches.feed(rows)

    def step(model: Model, num_images: int) -> None:
        model.zero_grad(set_to_none=True)
        few = batches.given(model, rows[:num_images])
        objective(few, x[:num_images], 0, companions)["loss"].mean().backward()

    if x.device.type == "cuda":
        precision = "float32" if machine.precision == "float32" else "bfloat16"
        return Choices(threads=torch.get_num_threads(), precision=precision, channels_last=True)
    if not machine.tune:
        return plain(machine.threads, machine.precision)
    num_steps = training.total_steps(len(batches.train))
    fixed = {"threads": machine.threads, "precision": machine.precision}
    return choose(model, step, batch_size=len(x), num_steps=num_steps, say=say, **fixed)


def train(
    state: State, batches: Batches, training: Training, choices: Choices, seed: int = 0, log_every: int = 100
) -> Iterator[State]:
    """Takes one optimiser step after another and gives the state after each, until all are taken or `stop` is set.

    The order of the images follows from the seed and the pass, the noise from the seed and the step, so nothing that is
    done between two steps can change the result.

    Raises:
        InputError: The loss or a weight is not finite any more.
    """
    computes = state.computes
    batch_size = min(training.batch_size, len(batches.train))
    ranks.share(computes)
    learning_rate = learning_rate_schedule(training, state.num_steps)
    now, order, order_of = batches, np.zeros(0, np.int64), (-1, False)
    with choices.applied(computes.model), synchronised(computes.model):
        _match_layout(state.optimizer)
        computes.train()
        while state.step < state.num_steps and not state.stop:
            epoch, position = divmod(state.step, state.steps_per_epoch)
            if (epoch, batches.has_all(state.step)) != order_of:
                order_of, now = (epoch, batches.has_all(state.step)), batches.at(state.step)
                order = now.train[np.random.default_rng([seed, epoch]).permutation(len(now.train))]
                order = np.resize(order, len(batches.train))  # fewer images come round again within the pass
            computes.preparing = state.step < computes.pretrain_steps
            if not computes.preparing and not state.prior_started:
                computes.start(now, seed)
                ranks.share(computes)
                state.prior_started = True
            _set_learning_rates(state, training, float(learning_rate(time_of(state.step))))
            rows = order[position * batch_size : (position + 1) * batch_size]
            names, means = _take(state, batches, rows, training, seed)
            state.totals = means if state.counted == 0 else state.totals + means
            state.counted += 1
            state.step += 1
            _report(state, names, batches, training, log_every, seed)
            yield state


def validate(computes: Step, batches: Batches, seed: int = 0) -> Means:
    """Means of the terms over the validation images: float32, the noise the same each time, schedules at their end.

    Several ranks share the images, each of which is counted once.
    """
    parts = np.array_split(batches.validation, -(-len(batches.validation) // 256))
    computes.companions.eval()
    with evaluating(computes.model):
        seed_noise(seed, -1)
        own = _sums(computes, batches, parts)
    computes.companions.train()
    found = {part: terms for each in ranks.collect(own) for part, terms in each.items()}
    totals = {name: sum((found[part][name] for part in range(len(parts))), 0.0) for name in found[0]}
    return _by_stage(list(totals), [total / len(batches.validation) for total in totals.values()])


def _sums(computes: Step, batches: Batches, parts: list[np.ndarray]) -> dict[int, dict[tuple[str, str], float]]:
    """Part -> sums of the terms over its images, of every part that this rank computes: each is one rank's."""
    sums, num_ranks = {}, ranks.count() if ranks.are_several() else 1
    for part, rows in enumerate(parts):
        if part % num_ranks == ranks.number() % num_ranks:
            with ranks.alone():
                terms, _ = _terms(computes, batches, rows, None)
            sums[part] = {name: values.double().sum().item() for name, values in terms.items()}
        else:  # what would be random of it is drawn, so that the next part has the same numbers on any rank
            computes.draw_noise(len(rows), batches.feed(rows, slice(0, 0)).device)
    return sums


def noise_seed(seed: int, step: int) -> int:
    """Of the random numbers of one step; it follows from the training's seed and the step alone."""
    return (seed * 0x9E3779B97F4A7C15 + (step + 2) * 0xBF58476D1CE4E5B9) % 2**63


def seed_noise(seed: int, step: int) -> None:
    """Sets torch's random generators to the state of one step."""
    state = noise_seed(seed, step)
    torch.default_generator.manual_seed(state)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(state)


def _terms(
    computes: Step, batches: Batches, rows: np.ndarray, step: int | None
) -> tuple[dict[tuple[str, str], Tensor], Any]:
    """The terms of a batch by (stage, name), and the batch on its way through the model."""
    own = ranks.own(len(rows))
    x = batches.feed(rows, own)
    noise, rows = computes.draw_noise(len(rows), x.device)[own], rows[own]
    t = None if step is None else time_of(step, x.device)
    terms, encoded = computes(x, batches.conditions_of(rows), batches.weights_of(rows), t, noise)
    return {(stage, name): values for stage, own in terms.items() for name, values in own.items()}, encoded


def _take(
    state: State, batches: Batches, rows: np.ndarray, training: Training, seed: int
) -> tuple[list[tuple[str, str]], Tensor]:
    """A step, which leaves the training as it was if it cannot be taken.

    Raises:
        InputError: It does not fit the device's memory.
    """
    try:
        with undone_if_lost(state.computes, state.critic_optimizer, training.critic_steps):
            return _step(state, batches, rows, training, seed)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise

    def gradients(size: int) -> None:
        _terms(state.computes, batches, rows[:size], state.step)[0]["", "loss"].mean().backward()

    raise too_large(len(rows), gradients, state.model, moments=bool(state.optimizer.state))


def _step(
    state: State, batches: Batches, rows: np.ndarray, training: Training, seed: int
) -> tuple[list[tuple[str, str]], Tensor]:
    """One optimiser step, and the critics'; the terms' names, and their means over the batch, left on the device."""
    seed_noise(seed, state.step)
    terms, encoded = _terms(state.computes, batches, rows, state.step)
    loss, penalty = terms["", "loss"].mean(), terms.get(("", "penalty"))
    state.optimizer.zero_grad(set_to_none=True)
    means = torch.stack([values.detach() for values in terms.values()]).mean(1)
    _backward(loss, penalty.mean() if training.adaptive_clip and penalty is not None else None, state.model, means)
    if training.clip_norm is not None:
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), training.clip_norm)
    if state.critic_optimizer is not None:
        _critic_steps(state, state.critic_optimizer, encoded, training)
    state.optimizer.step()
    return list(terms), means


def _critic_steps(state: State, optimizer: torch.optim.Optimizer, encoded: Any, training: Training) -> None:
    """Optimiser steps of the companions' weights, on the codes of this step, cut off from the model."""
    state.companions.requires_grad_(True)
    for _ in range(training.critic_steps):
        loss = state.computes.critic_loss(encoded)
        assert loss is not None
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        ranks.average([p.grad for p in state.companions.parameters() if p.grad is not None])
        if training.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(state.companions.parameters(), training.clip_norm)
        optimizer.step()
    state.companions.requires_grad_(False)


def _backward(loss: Tensor, penalty: Tensor | None, model: nn.Module, means: Tensor) -> None:
    """The gradient of the loss, as the mean over ranks, and the means of the terms along with it.

    Args:
        loss: Of the batch.
        penalty: Those in it whose gradient is to be no longer than that of the rest; None: it may.
        model: Whose weights get the gradient.
        means: Of this rank's images; then of all.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    mine: tuple[Tensor | None, ...] = ()
    if penalty is not None:
        mine = torch.autograd.grad(penalty, parameters, retain_graph=True, allow_unused=True)
        ranks.average([part for part in mine if part is not None])
    loss.backward()
    ranks.average([*(p.grad for p in parameters if p.grad is not None), means])
    if mine:
        _shorten(mine, parameters)


def _shorten(mine: Sequence[Tensor | None], parameters: Sequence[nn.Parameter]) -> None:
    """Makes the penalties' part of each gradient no longer, over all, than the rest."""
    pairs = [(p.grad, g) for p, g in zip(parameters, mine, strict=True) if p.grad is not None and g is not None]
    others = [p.grad for p, g in zip(parameters, mine, strict=True) if p.grad is not None and g is None]
    rest = _norm([whole - part for whole, part in pairs] + others)
    too_much = 1 - (rest / _norm([part for _, part in pairs])).clamp(max=1)
    for whole, part in pairs:
        whole.sub_(too_much * part)


def _norm(tensors: list[Tensor]) -> Tensor:
    return torch.nn.utils.get_total_norm(tensors)


def _report(
    state: State, names: list[tuple[str, str]], batches: Batches, training: Training, log_every: int, seed: int
) -> None:
    """Fetches the terms and validates, at the steps where that is due."""
    state.terms = state.validation = None
    done = state.step == state.num_steps
    if state.step % log_every == 0 or done:
        values = (state.totals / state.counted).tolist()
        state.terms = _by_stage(names, values)
        state.counted = 0
        if not all(map(math.isfinite, values)):
            raise diverged(state.step, "the loss")
    if len(batches.validation) and (state.step % (training.validate_every or state.steps_per_epoch) == 0 or done):
        state.validation = validate(state.computes, batches, seed)
        if training.later and state.step <= (training.later_step or 0):
            state.best, state.waited = math.inf, 0
        loss = state.validation[""]["loss"]
        if loss < state.best:
            state.best, state.best_step, state.waited = loss, state.step, 0
        else:
            state.waited += 1
        if training.patience and state.waited >= training.patience:
            state.stop = f"no better validation loss than at step {state.best_step:,} in {state.waited} validations"


def _by_stage(names: list[tuple[str, str]], values: list[float]) -> Means:
    means: Means = {}
    for (stage, name), value in zip(names, values, strict=True):
        means.setdefault(stage, {})[name] = value
    return means


def diverged(step: int, what: str) -> InputError:
    """The error of a training whose numbers are not finite any more."""
    return InputError(
        "training", "keep finite numbers", f"{what} not finite by step {step:,}",
        "Try a smaller training.learning_rate or a training.clip_norm.",
    )  # fmt: skip


def _match_layout(optimizer: torch.optim.Optimizer) -> None:
    """Lays the moments out in memory as their parameters are: the fused optimiser walks through both side by side."""
    for parameter, moments in optimizer.state.items():
        for name, value in moments.items():
            if value.shape == parameter.shape:
                moments[name] = torch.empty_like(parameter).copy_(value)


def _adam(module: nn.Module, training: Training, learning_rate: float) -> torch.optim.Optimizer:
    parameters = list(module.parameters())
    on_gpu = parameters[0].device.type == "cuda"
    return torch.optim.Adam(parameters, lr=learning_rate, eps=training.adam_epsilon, fused=True, capturable=on_gpu)


def learning_rate_schedule(training: Training, num_steps: int) -> Schedule:
    """By what the learning rates are multiplied."""
    kinds = {"constant": Constant(1.0), "cosine": Cosine(1.0, steps=num_steps), "step": Drops(1.0, steps=num_steps)}
    return kinds[training.schedule]


def _set_learning_rates(state: State, training: Training, factor: float) -> None:
    rates = ((state.optimizer, training.learning_rate), (state.critic_optimizer, training.critic_learning_rate))
    for optimizer, rate in rates:
        for group in optimizer.param_groups if optimizer else ():
            group["lr"] = rate * factor
