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
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn

from vaelab.errors import InputError
from vaelab.files import read_json, write
from vaelab.machine import cache_folder, processor
from vaelab.models import Model, models_in
from vaelab.networks import kernels
from vaelab.settings.ranges import Settings
from vaelab.settings.record import from_record

Step = Callable[[Model], None]
"""Computes one step of a model, forward and backward."""

_SECONDS = 0.6
"""About how long one comparison may take."""
BUDGET_S, SHARE = 10.0, 0.02
"""Seconds that choosing may take, and its share of the run's time where that is less."""
_HOPELESS, _ONCE_S = 2.0, 1.0
"""An alternative whose quickest time is so many times that of the best so far is given up; seconds that its first step
may take beyond that, once."""
_WORTH = 0.97
"""An alternative must need less than this share of the time: a tie keeps the plain way."""


@dataclass(frozen=True, kw_only=True)
class Choices(Settings):
    """How a training step is computed on this machine."""

    threads: Annotated[int, Ge(1), Le(1024)]
    """Threads inside one operation."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the networks (by autocast); likelihood, rate, weights and optimiser are float32 always."""
    channels_last: bool = False
    """Convolutions on memory laid out as height, width, channel."""
    kernels: dict[str, str] = field(default_factory=dict)
    """Layer -> kernel, for layers that are not computed by the stock kernel."""

    def suits(self, model: nn.Module) -> bool:
        """Whether the model has these layers, and they these kernels."""
        layers = _layers(model)
        return isinstance(self.kernels, dict) and all(
            name in layers and kernel in kernels(layers[name]) for name, kernel in self.kernels.items()
        )

    def __str__(self) -> str:
        """In words, such as ``2 threads, bfloat16, channels last, 3 layers by other kernels``."""
        many = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        layout = ["channels last"] if self.channels_last else []
        others = len(self.kernels)
        kernels = [f"{others} layer{'s' if others > 1 else ''} by other kernels"] if others else []
        return ", ".join([many, self.precision, *layout, *kernels])

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Computes the model this way inside the block, and the plain way, in float32, after it."""
        threads = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        for part in models_in(model):
            part.network_dtype = getattr(torch, self.precision)
        _set_layout(model, torch.channels_last if self.channels_last else torch.contiguous_format)
        layers = _layers(model)
        for name, kernel in self.kernels.items():
            layers[name].kernel = kernel
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            for part in models_in(model):
                part.network_dtype = torch.float32
            _set_layout(model, torch.contiguous_format)
            for layer in layers.values():
                layer.kernel = "stock"


def choose(
    model: Model,
    step: Step,
    *,
    batch_size: int,
    num_steps: int = 1_000_000,
    threads: int | None = None,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    memory: Path | None = None,
    say: Callable[[str], None] | None = None,
) -> Choices:
    """The fastest way found to compute a step: each alternative against the best so far, by turns.

    It takes 10 seconds, or 2 % of the run where that is less; what is not tried by then stays as it is. An alternative
    is given up as soon as it can't win.

    Args:
        model: The model; the timing runs on a copy.
        step: Computes one step of a model, forward and backward.
        batch_size: Images in a step.
        num_steps: Steps that the run takes.
        threads: Threads, where they are not to be chosen; ``OMP_NUM_THREADS`` fixes them too.
        precision: Of the networks; ``auto`` chooses.
        memory: File that remembers choices; default ``choices.json`` in the cache folder. What was chosen for a run of
            as many steps or more, which had as long to choose, is taken again.
        say: Is told what was chosen, in one line.
    """
    say = say or (lambda line: None)
    memory = memory or cache_folder() / "choices.json"
    key = _key(model, batch_size, threads, precision)
    remembered = _read(memory)
    before = _taken_again(remembered.get(key), model, num_steps)
    if before is not None:
        say(f"Computed with {before} (chosen by timing before).")
        return before
    race = _Race(copy.deepcopy(model), step, num_steps)
    best = _search(race, threads, precision)
    say(f"Computed with {best} (chosen by timing in {race.spent:.1f} s).")
    _remember(memory, {**remembered, key: {"num_steps": num_steps, **asdict(best)}})
    return best


def plain(threads: int | None = None, precision: str = "float32") -> Choices:
    """The stock way, with nothing timed."""
    return Choices(
        threads=threads or torch.get_num_threads(), precision="bfloat16" if precision == "bfloat16" else "float32"
    )


def has_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16; without them a step can take many times as long."""
    known = getattr(torch.cpu, "get_capabilities", dict)()
    flags = [known[name] for name in ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16") if name in known]
    return any(flags) if flags else bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class _Race:
    """Times ways to compute a step on one model, within a budget."""

    def __init__(self, model: Model, step: Step, num_steps: int):
        self.model, self.step, self.begun, self.budget = model, step, time.perf_counter(), BUDGET_S
        self.num_steps = num_steps

    @property
    def spent(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self.begun

    def seconds(self, choices: Choices) -> float:
        """What one step takes."""
        with choices.applied(self.model):
            start = time.perf_counter()
            self.step(self.model)
            return time.perf_counter() - start

    def start(self, choices: Choices) -> None:
        """Sets the budget by what a step takes the plain way, once warm."""
        first = self.seconds(choices)
        second = self.seconds(choices) if self.spent < BUDGET_S / 2 else first
        self.budget = min(BUDGET_S, SHARE * self.num_steps * min(first, second))

    def fastest(self, ways: list[Callable[[], float]]) -> int:
        """Which way is the fastest, by medians over rounds that take all in turn; the first way wins ties.

        The first round warms up. A way is given up as soon as it is hopeless, and nothing is tried once the budget is
        spent.
        """
        times: list[list[float]] = [[] for _ in ways]
        alive, warm_up = list(range(len(ways))), 0.0
        for turn in range(30):
            for way in list(alive):
                if self.spent > self.budget:
                    return _winner(times, alive)
                took = ways[way]()
                if turn:
                    times[way].append(took)
                elif way == 0:
                    warm_up = took
                too_slow = min(times[way]) > _HOPELESS * min(times[0]) if turn else took > _HOPELESS * warm_up + _ONCE_S
                if way and too_slow:
                    alive.remove(way)
            if len(alive) < 2 or (turn >= 3 and sum(map(sum, times)) > _SECONDS):
                break
        return _winner(times, alive)


def _winner(times: list[list[float]], alive: list[int]) -> int:
    medians = {way: statistics.median(times[way]) for way in alive if times[way]}
    best = min(medians, key=medians.__getitem__, default=0)
    return best if 0 in medians and medians[best] < _WORTH * medians[0] else 0


def _search(race: _Race, threads: int | None, precision: str) -> Choices:
    def quicker(best: Choices, other: Choices) -> Choices:
        return (best, other)[race.fastest([lambda way=way: race.seconds(way) for way in (best, other)])]

    best = plain(threads, precision)
    race.start(best)
    if threads is None and "OMP_NUM_THREADS" not in os.environ and best.threads > 1:
        best = quicker(best, replace(best, threads=1))
    if precision == "auto" and has_bfloat16():
        best = quicker(best, replace(best, precision="bfloat16"))
    best = replace(best, kernels=_kernels(race, best))
    if any(parameter.dim() == 4 for parameter in race.model.parameters()):
        last = replace(best, channels_last=True)
        best = quicker(best, replace(last, kernels=_kernels(race, last)))
    return best


def _kernels(race: _Race, choices: Choices) -> dict[str, str]:
    """The fastest kernel of each layer that has several, timed on its own with the input it gets in a step."""
    found: dict[str, str] = {}
    inputs: dict[str, Tensor] = {}
    model, layers = race.model, _layers(race.model)
    if not layers or race.spent > race.budget:
        return found
    hooks = [
        layer.register_forward_hook(lambda _, args, __, name=name: inputs.update({name: args[0].detach()}))
        for name, layer in layers.items()
    ]
    with choices.applied(model):
        race.step(model)
        for hook in hooks:
            hook.remove()
        for name, layer in layers.items():
            x = inputs[name].requires_grad_()

            def forward_backward(kernel: str, layer: Any = layer, x: Tensor = x) -> float:
                layer.kernel = kernel
                start = time.perf_counter()
                y = model.run_network(layer, x)
                y.backward(torch.ones_like(y))
                return time.perf_counter() - start

            ways = kernels(layer)
            quickest = race.fastest([lambda way=way: forward_backward(way) for way in ways])
            layer.kernel = ways[quickest]
            if quickest:
                found[name] = ways[quickest]
    return found


def _layers(model: nn.Module) -> dict[str, Any]:
    """The layers that may be computed in more than one way."""
    return {name: layer for name, layer in model.named_modules() if len(kernels(layer)) > 1}


def _set_layout(model: nn.Module, layout: torch.memory_format) -> None:
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


def _read(memory: Path) -> dict[str, object]:
    """What is remembered; nothing where the file is not to be read."""
    try:
        found = read_json(memory)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _taken_again(entry: object, model: Model, num_steps: int) -> Choices | None:
    """What was chosen before, if it had as long to choose and can be used."""
    if not isinstance(entry, dict):
        return None
    record = dict(entry)
    made_for = record.pop("num_steps", 0)
    try:
        found = from_record(Choices, record)
    except InputError:
        return None
    return found if isinstance(made_for, int) and made_for >= num_steps and found.suits(model) else None


def _remember(memory: Path, choices: dict) -> None:
    """Written whole or not at all; a folder that cannot be written only means that the timing is done again."""
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        write(memory, json.dumps(choices, indent=1))
    except (OSError, InputError):
        return
