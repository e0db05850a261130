"""Several processes that train one model together, as torchrun starts them; in one process nothing here does anything.

Every rank holds the whole model and takes its slice of each batch. What needs the whole batch gathers it, with
gradients; the sum over ranks of the gradients of their means, divided by the number of ranks, is the gradient of the
mean over the batch.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous

from vaelab.errors import InputError

T = TypeVar("T")
_PATIENCE = timedelta(hours=1)
"""How long a rank waits for another, which may be writing a checkpoint or choosing by timing meanwhile."""
_is_alone = False


class RankLost(Exception):
    """Another rank is gone, and with it the step that was under way."""


def count() -> int:
    """How many ranks there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


def number() -> int:
    """Which of them this process is, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def local_number() -> int:
    """Which of those on this machine it is, from 0: the number of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0")) if count() > 1 else 0


@contextmanager
def alone() -> Iterator[None]:
    """Inside, this process computes by itself, as if there were no other rank."""
    global _is_alone
    before, _is_alone = _is_alone, True
    try:
        yield
    finally:
        _is_alone = before


def are_several() -> bool:
    """Whether there are other ranks, and this one does not compute `alone`."""
    return not _is_alone and count() > 1


def own(num_images: int) -> slice:
    """This rank's images of a batch."""
    if not are_several():
        return slice(0, num_images)
    each = num_images // count()
    return slice(number() * each, (number() + 1) * each)


def part(whole: Tensor) -> Tensor:
    """This rank's part of what there is one of for each image of the batch."""
    return whole[own(len(whole))] if are_several() else whole


def gather(part: Tensor) -> Tensor:
    """The whole batch, of which every rank has as large a part, along the first axis; gradients flow back to all.

    >>> gather(torch.arange(3))
    tensor([0, 1, 2])
    """
    return _Gather.apply(part) if are_several() else part  # pyright: ignore[reportReturnType]


def average(tensors: Sequence[Tensor]) -> None:
    """Puts the mean over ranks in the place of each tensor, all in one message.

    One message for all gradients after the backward pass is summed the same way every time, so that a training that is
    resumed has the numbers of one that was not.
    """
    if not are_several():
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    _exchange(dist.all_reduce, flat)
    flat /= count()
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view(tensor.shape))


def collect(value: T) -> list[T]:
    """What every rank has found, in their order."""
    if not are_several():
        return [value]
    found: list[Any] = [None] * count()
    _exchange(dist.all_gather_object, found, value)
    return found


def any_of(said: bool) -> bool:
    """Whether any rank says so."""
    if not are_several():
        return said
    voices = torch.tensor(float(said))
    _exchange(dist.all_reduce, voices)
    return bool(voices)


def share(module: nn.Module) -> None:
    """Gives every rank the weights of the first, which else differ by rounding where processors do."""
    if are_several():
        for tensor in (*module.parameters(), *module.buffers()):
            _exchange(dist.broadcast, tensor.data, 0)


def first(compute: Callable[[], T]) -> T:
    """What the first rank finds, given to all.

    Args:
        compute: Called by the first rank alone. What it returns, or an `InputError` that it raises, is for every rank.
    """
    if not are_several():
        return compute()
    found: list[Any] = [None, None]
    if number() == 0:
        try:
            with alone():
                found[0] = compute()
        except InputError as error:
            found[1] = error
    _exchange(dist.broadcast_object_list, found, 0)
    if found[1] is not None:
        raise found[1]
    return found[0]


@contextmanager
def joined() -> Iterator[None]:
    """Joins the ranks that torchrun started. What ends them all is said once, by the first that says it.

    Raises:
        InputError: They cannot be joined.
        SystemExit: In place of an `InputError` or KeyboardInterrupt that another rank has said.
    """
    try:
        store, mine, size = next(rendezvous("env://"))
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, store=store, rank=mine, world_size=size, timeout=_PATIENCE)
    except (ValueError, RuntimeError) as error:
        got = str(error).splitlines()[0][:200]
        mend = "Start them with: torchrun --nproc-per-node N -m vaelab train ..."
        raise InputError("the ranks", "find each other", got, mend) from None
    try:
        if torch.cuda.is_available():
            torch.cuda.set_device(min(local_number(), torch.cuda.device_count() - 1))
        yield
    except (InputError, KeyboardInterrupt) as error:
        if not _is_first_to_say(store):
            raise SystemExit(2 if isinstance(error, InputError) else 130) from None
        raise
    except RankLost:
        if not _is_first_to_say(store):
            raise SystemExit(130) from None
        raise KeyboardInterrupt("Stopped: another rank is gone.") from None
    finally:
        dist.destroy_process_group()


def _is_first_to_say(store: Any) -> bool:
    """Whether no other rank has ended with words; a rank that is gone may have taken along where that is known."""
    try:
        return store.add("said", 1) == 1
    except RuntimeError:
        return True


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        parts = [torch.empty_like(part, memory_format=torch.contiguous_format) for _ in range(count())]
        _exchange(dist.all_gather, parts, part.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        summed = gradient.contiguous().clone()
        _exchange(dist.all_reduce, summed)
        return summed[own(len(summed))]


def _exchange(send: Callable[..., object], *what: object) -> None:
    try:
        send(*what)
    except torch.OutOfMemoryError:
        raise
    except (dist.DistError, RuntimeError, pickle.UnpicklingError) as error:
        raise RankLost(str(error)) from error
