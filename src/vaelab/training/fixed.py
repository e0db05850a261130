"""A step on buffers that stay where they are, so that all of it can be captured as one CUDA graph and replayed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vaelab.data.buffer import Buffer
from vaelab.errors import one_line
from vaelab.schedules import Schedule, time_of
from vaelab.training.config import Training
from vaelab.training.optimise import learning_rates, optimise
from vaelab.training.state import Batches, State, Taken
from vaelab.training.step import seed_noise

_WARM_UP = 3
"""Steps that are taken before one is captured, as libraries set themselves up in the first."""


class FixedSteps:
    """Takes steps that differ in the contents of a few tensors alone: the rows, t, and what the noise is drawn from.

    The order of a pass is sent to the device once; there the batch is gathered, and the noise, the schedules and the
    learning rates are computed. On a GPU the step is captured, once while the training prepares and once after, and
    replayed; elsewhere, and where it cannot be captured, the same is computed anew each time. The numbers are those of
    `PlainSteps`.

    Args:
        state: The training.
        batches: Its images.
        training: How it learns.
        seed: Of the noise.
        schedule: By what the learning rates are multiplied.
        say: Is told where the images lie, and why a step cannot be captured.
    """

    def __init__(
        self,
        state: State,
        batches: Batches,
        training: Training,
        seed: int,
        schedule: Schedule,
        say: Callable[[str], None],
    ):
        self.state, self.batches, self.training, self.seed, self.schedule = state, batches, training, seed, schedule
        device = self.device = batches.feed.device
        size = min(training.batch_size, len(batches.train))
        self.say, self.captures = say, device.type == "cuda"
        self.images, self.rows, self.t = Buffer(batches.feed, size), torch.zeros(size, dtype=torch.int64), time_of(0)
        self.rows, self.t = self.rows.to(device), self.t.to(device)
        self.order, self.sent = self.rows, np.zeros(0, np.int64)
        self.conditions, self.weights = self._beside(batches.conditions), self._beside(batches.weights)
        self.rates = [(self._rate(optimizer), rate) for optimizer, rate in learning_rates(state, training)]
        self.graphs: dict[bool, tuple[torch.cuda.CUDAGraph, Taken]] = {}
        self.warm = {True: 0, False: 0}
        if self.captures:
            say(str(self.images))

    def __call__(self, order: np.ndarray, start: int, size: int) -> Taken:
        """One step, on so many images of a pass's order from `start` on."""
        if order is not self.sent:
            self.order, self.sent = torch.from_numpy(order).to(self.device), order
        self.images.fill(order[start : start + size])
        self.rows.copy_(self.order[start : start + size])
        self.t.fill_(self.state.step)
        seed_noise(self.seed, self.state.step)
        if not self.captures:
            return self._compute()
        form = self.state.computes.preparing
        if self.warm[form] < _WARM_UP:
            self.warm[form] += 1
            return self._aside()
        if form not in self.graphs and not self._capture(form):
            return self._compute()
        graph, (names, means) = self.graphs[form]
        graph.replay()
        return names, means.clone()

    def _compute(self) -> Taken:
        """The whole step: a function of the buffers, the weights and the generator."""
        factor = self.schedule(self.t)
        for rate, whole in self.rates:
            rate.fill_(whole * factor)
        x = self.images(self.rows)
        noise = self.state.computes.draw_noise(len(x), self.device)
        condition, weight = (
            None if v is None else v.index_select(0, self.rows) for v in (self.conditions, self.weights)
        )
        staged, encoded = self.state.computes(x, condition, weight, self.t, noise)
        terms = {(stage, name): values for stage, own in staged.items() for name, values in own.items()}
        return list(terms), optimise(self.state, terms, encoded, self.training)

    def _aside(self) -> Taken:
        """A step on a stream of its own, as those before a capture have to be."""
        here, aside = torch.cuda.current_stream(), torch.cuda.Stream()
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            names, means = self._compute()
        here.wait_stream(aside)
        return names, means.clone()

    def _capture(self, form: bool) -> bool:
        """Whether the step was captured; nothing is computed, and the generator is as before."""
        try:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                taken = self._compute()
        except Exception as error:  # a part that waits for the device, or one that a graph does not know
            if isinstance(error, torch.OutOfMemoryError):
                raise
            self.captures = False
            self.state.companions.requires_grad_(False)
            self.say(f"The step is not captured as one graph ({one_line(error)}); it is computed anew each time.")
        else:
            self.graphs[form] = graph, taken
        seed_noise(self.seed, self.state.step)
        return self.captures

    def _rate(self, optimizer: torch.optim.Optimizer) -> Tensor:
        """The optimiser's learning rate as a tensor; the fused Adam of a GPU takes float32 alone."""
        kind = torch.float32 if self.device.type == "cuda" else torch.float64
        rate = torch.zeros((), dtype=kind, device=self.device)
        for group in optimizer.param_groups:
            group["lr"] = rate
        return rate

    def _beside(self, values: np.ndarray | None) -> Tensor | None:
        return None if values is None else torch.from_numpy(values.astype(np.float32)).to(self.device)
