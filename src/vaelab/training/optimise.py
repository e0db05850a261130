"""What the optimisers do with the terms of a batch: gradients, critics' steps, the model's step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vaelab import ranks
from vaelab.schedules import Constant, Cosine, Drops, Schedule
from vaelab.training.config import Training
from vaelab.training.state import State

Named = dict[tuple[str, str], Tensor]
"""(stage, name) -> a term, one value per image."""


def optimise(state: State, terms: Named, encoded: Any, training: Training) -> Tensor:
    """One optimiser step, and the critics'; the terms' means over the batch, left on the device.

    The model's weights move last: no rank waits for another after that.
    """
    loss, penalty = terms["", "loss"].mean(), terms.get(("", "penalty"))
    state.optimizer.zero_grad(set_to_none=True)
    means = torch.stack([values.detach() for values in terms.values()]).mean(1)
    _backward(loss, penalty.mean() if training.adaptive_clip and penalty is not None else None, state.model, means)
    if training.clip_norm is not None:
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), training.clip_norm)
    if state.critic_optimizer is not None:
        _critic_steps(state, state.critic_optimizer, encoded, training)
    state.optimizer.step()
    return means


def learning_rates(state: State, training: Training) -> list[tuple[torch.optim.Optimizer, float]]:
    """Each optimiser with the learning rate that the schedule multiplies."""
    pairs = [(state.optimizer, training.learning_rate), (state.critic_optimizer, training.critic_learning_rate)]
    return [(optimizer, rate) for optimizer, rate in pairs if optimizer is not None]


def learning_rate_schedule(training: Training, num_steps: int) -> Schedule:
    """By what the learning rates are multiplied."""
    kinds = {"constant": Constant(1.0), "cosine": Cosine(1.0, steps=num_steps), "step": Drops(1.0, steps=num_steps)}
    return kinds[training.schedule]


def adam(module: nn.Module, training: Training, learning_rate: float) -> torch.optim.Optimizer:
    """Of a module's weights."""
    parameters = list(module.parameters())
    on_gpu = parameters[0].device.type == "cuda"
    return torch.optim.Adam(parameters, lr=learning_rate, eps=training.adam_epsilon, fused=True, capturable=on_gpu)


def match_layout(optimizer: torch.optim.Optimizer) -> None:
    """Lays the moments out in memory as their parameters are: the fused optimiser walks through both side by side."""
    for parameter, moments in optimizer.state.items():
        for name, value in moments.items():
            if value.shape == parameter.shape:
                moments[name] = torch.empty_like(parameter).copy_(value)


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
