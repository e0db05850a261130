"""What several ranks need to train as one: batches that can be divided, one batch normalisation, a step undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from vaelab import ranks
from vaelab.errors import InputError


def check_ranks(batch_size: int) -> None:
    """Refuses a batch of which the ranks cannot have equal parts.

    Raises:
        InputError: It cannot be divided by their number.
    """
    many = ranks.count()
    if batch_size < many:
        should, mend = f"be at most the {batch_size} images of a batch", "Start fewer, or take a larger batch."
        raise InputError("the number of ranks", should, many, mend)
    if rest := batch_size % many:
        mend = f"Take {batch_size - rest} or {batch_size - rest + many}, or another number of ranks."
        raise InputError("training.batch_size", f"be a multiple of the {many} ranks", batch_size, mend)


@contextmanager
def synchronised(model: nn.Module) -> Iterator[None]:
    """Inside, batch normalisation goes by the images of all ranks; torch's own way of it needs a GPU."""
    layers = [layer for layer in model.modules() if isinstance(layer, _BatchNorm)] if ranks.are_several() else []
    for layer in layers:
        setattr(layer, "forward", partial(_normalised, layer))  # noqa: B010
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


@contextmanager
def undone_if_lost(computes: nn.Module, critics: torch.optim.Optimizer | None, critic_steps: int) -> Iterator[None]:
    """Puts back what a step has changed where another rank is lost before it is whole.

    Weights move after the last exchange of a step. What moves before are buffers, and critics that take several steps.
    """
    if not ranks.are_several():
        yield
        return
    several = critics is not None and critic_steps > 1
    learnt = [p for group in critics.param_groups for p in group["params"]] if critics is not None and several else []
    before = [(value, value.detach().clone()) for value in (*computes.buffers(), *learnt)]
    moments = _copied(critics) if critics is not None and several else None
    try:
        yield
    except ranks.RankLost:
        for value, old in before:
            value.data.copy_(old)
        if critics is not None and moments is not None:
            critics.state.clear()
            critics.state.update(moments)
        raise


def _copied(optimizer: torch.optim.Optimizer) -> dict[Tensor, dict[str, Tensor]]:
    return {p: {name: value.clone() for name, value in moments.items()} for p, moments in optimizer.state.items()}


def _normalised(layer: _BatchNorm, x: Tensor) -> Tensor:
    """What the layer gives, by mean and variance over the batch's images on all ranks; its running ones follow.

    variance = mean over ranks of (own variance + (own mean - mean)^2)
    """
    if not (layer.training and ranks.are_several()):
        return type(layer).forward(layer, x)
    axes, shape = [0, *range(2, x.dim())], [1, -1, *[1] * (x.dim() - 2)]
    wide = x.float()
    variances, means = torch.var_mean(wide, axes, correction=0)
    found = ranks.gather(torch.stack([variances, means])[None])
    mean = found[:, 1].mean(0)
    variance = (found[:, 0] + (found[:, 1] - mean).square()).mean(0)
    _follow(layer, mean.detach(), variance.detach(), ranks.count() * x.numel() // x.shape[1])
    y = (wide - mean.view(shape)) * (variance + layer.eps).rsqrt().view(shape)
    if layer.affine:
        y = y * layer.weight.view(shape) + layer.bias.view(shape)
    return y.to(x.dtype)


@torch.no_grad()
def _follow(layer: _BatchNorm, mean: Tensor, variance: Tensor, count: int) -> None:
    """The running mean and variance, as torch's layers keep them."""
    if layer.running_mean is None or layer.running_var is None or layer.num_batches_tracked is None:
        return
    layer.num_batches_tracked.add_(1)
    momentum = 1 / float(layer.num_batches_tracked) if layer.momentum is None else layer.momentum
    layer.running_mean.lerp_(mean, momentum)
    layer.running_var.lerp_(variance * count / (count - 1), momentum)
