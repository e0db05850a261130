"""What is chosen by timing on this machine: threads, precision, memory layout and kernels.

A choice is remembered per machine, so that the same seed gives the same numbers again, and it is recorded in the run,
so that a resumed run equals an uninterrupted one.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from vaelab.machine import cache_folder, processor
from vaelab.models import Model
from vaelab.networks import kernels

Step = Callable[[Model], None]
"""Computes one step of a model, forward and backward."""

_SECONDS = 0.6
"""About how long one comparison may take."""
_WORTH = 0.97
"""An alternative must need less than this share of the time: a tie keeps the plain way."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How a training step is computed on this machine."""

    threads: int
    """Threads inside one operation."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the networks (by autocast); likelihood, rate, weights and optimiser are float32 always."""
    channels_last: bool = False
    """Convolutions on memory laid out as height, width, channel."""
    kernels: dict[str, str] = field(default_factory=dict)
    """Layer -> kernel, for layers that are not computed by the stock kernel."""

    @contextmanager
    def applied(self, model: Model) -> Iterator[None]:
        """Computes the model this way inside the block, and the plain way, in float32, after it."""
        threads = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        model.set_network_dtype(getattr(torch, self.precision))
        _set_layout(model, torch.channels_last if self.channels_last else torch.contiguous_format)
        layers = _layers(model)
        for name, kernel in self.kernels.items():
            layers[name].kernel = kernel
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            model.set_network_dtype(torch.float32)
            _set_layout(model, torch.contiguous_format)
            for layer in layers.values():
                layer.kernel = "stock"


def choose(
    model: Model,
    step: Step,
    *,
    batch_size: int,
    threads: int | None = None,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    memory: Path | None = None,
) -> Choices:
    """The fastest way found to compute a step: each alternative against the best so far, by turns.

    Args:
        model: The model; the timing runs on a copy.
        step: Computes one step of a model, forward and backward.
        batch_size: Images in a step.
        threads: Threads, where they are not to be chosen; ``OMP_NUM_THREADS`` fixes them too.
        precision: Of the networks; ``auto`` chooses.
        memory: File that remembers choices; default ``choices.json`` in the cache folder.
    """
    memory = memory or cache_folder() / "choices.json"
    key = _key(model, batch_size, threads, precision)
    remembered = _read(memory)
    if key in remembered:
        return Choices(**remembered[key])
    best = _search(copy.deepcopy(model), step, threads, precision)
    _remember(memory, {**remembered, key: asdict(best)})
    return best


def plain(threads: int | None = None, precision: str = "float32") -> Choices:
    """The stock way, with nothing timed."""
    return Choices(
        threads=threads or torch.get_num_threads(), precision="bfloat16" if precision == "bfloat16" else "float32"
    )


def _search(model: Model, step: Step, threads: int | None, precision: str) -> Choices:
    def quicker(best: Choices, other: Choices) -> Choices:
        times = _alternate([lambda way=way: _seconds(model, step, way) for way in (best, other)])
        return other if times[1] < _WORTH * times[0] else best

    best = plain(threads, precision)
    if precision == "auto":
        best = quicker(best, replace(best, precision="bfloat16"))
    best = replace(best, kernels=_kernels(model, step, best))
    if any(parameter.dim() == 4 for parameter in model.parameters()):
        last = replace(best, channels_last=True)
        best = quicker(best, replace(last, kernels=_kernels(model, step, last)))
    if threads is None and "OMP_NUM_THREADS" not in os.environ and best.threads > 1:
        best = quicker(best, replace(best, threads=1))
    return best


def _kernels(model: Model, step: Step, choices: Choices) -> dict[str, str]:
    """The fastest kernel of each layer that has several, timed on its own with the input it gets in a step."""
    found: dict[str, str] = {}
    inputs: dict[str, Tensor] = {}
    layers = _layers(model)
    hooks = [
        layer.register_forward_hook(lambda _, args, __, name=name: inputs.update({name: args[0].detach()}))
        for name, layer in layers.items()
    ]
    with choices.applied(model):
        step(model)
        for hook in hooks:
            hook.remove()
        for name, layer in layers.items():
            ways = kernels(layer)
            x = inputs[name].requires_grad_()

            def forward_backward(kernel: str, layer: Any = layer, x: Tensor = x) -> float:
                layer.kernel = kernel
                start = time.perf_counter()
                y = model.run_network(layer, x)
                y.backward(torch.ones_like(y))
                return time.perf_counter() - start

            times = _alternate([lambda way=way: forward_backward(way) for way in ways])
            quickest = min(range(len(ways)), key=times.__getitem__)
            if times[quickest] < _WORTH * times[0]:
                found[name] = ways[quickest]
    return found


def _alternate(ways: list[Callable[[], float]]) -> list[float]:
    """The median seconds of each way, over rounds that take all in turn, after one that warms them up."""
    rounds: list[list[float]] = []
    while len(rounds) < 4 or (sum(map(sum, rounds)) < _SECONDS and len(rounds) < 30):
        rounds.append([way() for way in ways])
    return [statistics.median(times) for times in zip(*rounds[1:], strict=True)]


def _seconds(model: Model, step: Step, choices: Choices) -> float:
    with choices.applied(model):
        start = time.perf_counter()
        step(model)
        return time.perf_counter() - start


def _layers(model: Model) -> dict[str, Any]:
    """The layers that may be computed in more than one way."""
    return {name: layer for name, layer in model.named_modules() if len(kernels(layer)) > 1}


def _set_layout(model: Model, layout: torch.memory_format) -> None:
    """Copies each kernel: with one channel both layouts count as contiguous, and only a copy has the right strides."""
    for parameter in model.parameters():
        if parameter.dim() == 4:
            parameter.data = torch.empty_like(parameter.data, memory_format=layout).copy_(parameter.data)


def _key(model: Model, batch_size: int, threads: int | None, precision: str) -> str:
    shapes = [tuple(parameter.shape) for parameter in model.parameters()]
    facts = (
        processor(), torch.backends.cpu.get_cpu_capability(), os.cpu_count(), os.environ.get("OMP_NUM_THREADS"),
        torch.__version__, repr(model), shapes, model.image_shape, batch_size, threads, precision,
    )  # fmt: skip
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _read(memory: Path) -> dict:
    try:
        return json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}


def _remember(memory: Path, choices: dict) -> None:
    """Written whole or not at all; a folder that cannot be written only means that the timing is done again."""
    new = memory.with_suffix(f".{os.getpid()}")
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(choices, indent=1))
        new.replace(memory)
    except OSError:
        new.unlink(missing_ok=True)
