"""A step as it is written: a batch is fed, its terms are computed, the optimisers move the weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaelab import ranks
from vaelab.schedules import Schedule, time_of
from vaelab.training.config import Training
from vaelab.training.optimise import Named, learning_rates, optimise
from vaelab.training.state import Batches, State, Taken
from vaelab.training.step import Step, seed_noise


class PlainSteps:
    """Takes steps one by one.

    Args:
        state: The training.
        batches: Its images.
        training: How it learns.
        seed: Of the noise.
        schedule: By what the learning rates are multiplied.
    """

    def __init__(self, state: State, batches: Batches, training: Training, seed: int, schedule: Schedule):
        self.state, self.batches, self.training, self.seed, self.schedule = state, batches, training, seed, schedule

    def __call__(self, order: np.ndarray, start: int, size: int) -> Taken:
        """One step, on so many images of a pass's order from `start` on."""
        state = self.state
        for optimizer, rate in learning_rates(state, self.training):
            for group in optimizer.param_groups:
                group["lr"] = rate * float(self.schedule(time_of(state.step)))
        seed_noise(self.seed, state.step)
        terms, encoded = terms_of(state.computes, self.batches, order[start : start + size], state.step)
        return list(terms), optimise(state, terms, encoded, self.training)


def terms_of(computes: Step, batches: Batches, rows: np.ndarray, step: int | None) -> tuple[Named, Any]:
    """The terms of a batch by (stage, name), and the batch on its way through the model."""
    own = ranks.own(len(rows))
    x = batches.feed(rows, own)
    noise, rows = computes.draw_noise(len(rows), x.device)[own], rows[own]
    t = None if step is None else time_of(step, x.device)
    terms, encoded = computes(x, batches.conditions_of(rows), batches.weights_of(rows), t, noise)
    return {(stage, name): values for stage, own in terms.items() for name, values in own.items()}, encoded
