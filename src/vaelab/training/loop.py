"""The loop: it gives one step after another, and whoever runs it takes what it wants from each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch

from vaelab import ranks
from vaelab.data.order import image_bytes, pass_order
from vaelab.errors import InputError
from vaelab.models import Model, device_of, evaluating
from vaelab.objectives import Objective
from vaelab.training.choices import Choices, choose, plain
from vaelab.training.config import Machine, Training
from vaelab.training.fixed import FixedSteps
from vaelab.training.memory import is_out_of_memory, too_large
from vaelab.training.optimise import adam, learning_rate_schedule, match_layout
from vaelab.training.plain import PlainSteps, terms_of
from vaelab.training.state import Batches, Means, State, Taken
from vaelab.training.step import ObjectiveStep, Step, seed_noise
from vaelab.training.together import check_ranks, synchronised, undone_if_lost


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
        optimizer=adam(computes.model, training, training.learning_rate),
        critic_optimizer=adam(computes.companions, training, training.critic_learning_rate) if learns else None,
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
        threads = torch.get_num_threads()
        return Choices(threads=threads, precision=precision, channels_last=True, captured=machine.tune)
    if not machine.tune:
        return plain(machine.threads, machine.precision)
    num_steps = training.total_steps(len(batches.train))
    fixed = {"threads": machine.threads, "precision": machine.precision}
    return choose(model, step, batch_size=len(x), num_steps=num_steps, say=say, **fixed)


def train(
    state: State,
    batches: Batches,
    training: Training,
    choices: Choices,
    seed: int = 0,
    log_every: int = 100,
    say: Callable[[str], None] | None = None,
) -> Iterator[State]:
    """Takes one optimiser step after another and gives the state after each, until all are taken or `stop` is set.

    The order of the images follows from the seed and the pass, the noise from the seed and the step, so nothing that is
    done between two steps can change the result. `say` is told how the images come to a GPU.

    Raises:
        InputError: A batch does not fit the memory; the loss or a weight is not finite any more.
    """
    computes = state.computes
    batch_size = min(training.batch_size, len(batches.train))
    ranks.share(computes)
    now, order, order_of = batches, np.zeros(0, np.int64), (-1, False)
    how = choices.order if training.order == "auto" else training.order
    with choices.applied(computes.model), synchronised(computes.model):
        match_layout(state.optimizer)
        steps = _steps(state, batches, training, choices, seed, say)
        computes.train()
        while state.step < state.num_steps and not state.stop:
            epoch, position = divmod(state.step, state.steps_per_epoch)
            if (epoch, batches.has_all(state.step)) != order_of:
                order_of, now = (epoch, batches.has_all(state.step)), batches.at(state.step)
                order = pass_order(now.train, seed, epoch, how, image_bytes(batches.feed.images))
                order = np.resize(order, len(batches.train))  # fewer images come round again within the pass
            computes.preparing = state.step < computes.pretrain_steps
            if not computes.preparing and not state.prior_started:
                computes.start(now, seed)
                ranks.share(computes)
                state.prior_started = True
            with undone_if_lost(computes, state.critic_optimizer, training.critic_steps):
                names, means = _take(steps, state, order, position * batch_size, batch_size)
            state.totals = means if state.counted == 0 else state.totals + means
            state.counted += 1
            state.step += 1
            _report(state, names, batches, training, log_every, seed)
            yield state


def _steps(
    state: State,
    batches: Batches,
    training: Training,
    choices: Choices,
    seed: int,
    say: Callable[[str], None] | None,
) -> PlainSteps | FixedSteps:
    schedule = learning_rate_schedule(training, state.num_steps)
    if not choices.captured or ranks.are_several():
        return PlainSteps(state, batches, training, seed, schedule)
    return FixedSteps(state, batches, training, seed, schedule, say or (lambda line: None))


def _take(steps: PlainSteps | FixedSteps, state: State, order: np.ndarray, start: int, size: int) -> Taken:
    """A step; where it does not fit the device's memory, the batch that would is found and said."""
    try:
        return steps(order, start, size)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise

    def gradients(count: int) -> None:
        rows = order[start : start + count]
        terms_of(state.computes, steps.batches, rows, state.step)[0]["", "loss"].mean().backward()

    raise too_large(size, gradients, state.model, moments=bool(state.optimizer.state))


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
                terms, _ = terms_of(computes, batches, rows, None)
            sums[part] = {name: values.double().sum().item() for name, values in terms.items()}
        else:  # what would be random of it is drawn, so that the next part has the same numbers on any rank
            computes.draw_noise(len(rows), batches.feed(rows, slice(0, 0)).device)
    return sums


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
