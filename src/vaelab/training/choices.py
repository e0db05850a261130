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

from vaelab.data.order import Order
from vaelab.errors import InputError
from vaelab.files import read_json, write
from vaelab.machine import Watch, cache_folder, processor, processor_flags
from vaelab.models import Model, models_in
from vaelab.networks import kernels
from vaelab.settings.ranges import Settings
from vaelab.settings.record import from_record

Step = Callable[[Model, int], None]
"""Computes one step of a model, forward and backward, on so many images of a batch."""

_SECONDS = 0.6
"""About how long one comparison may take."""
BUDGET_S, SHARE = 10.0, 0.02
"""Seconds that choosing may take, and its share of the run's time where that is less."""
_HOPELESS, _ONCE_S = (2.0, 1.5, 1.25), 1.0
"""A way whose quickest time is so many times that of the best so far is given up: as it warms up, after one more step,
and after two or more; seconds that its first step may take beyond that, once."""
_FEW, _SLOW_S = 8, 0.25
"""A step that takes longer than so many seconds is timed on this part of its images."""
_DISTURBED = 0.1
"""A choice is not remembered where other processes had a larger share of the machine meanwhile."""
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
    order: Order = "exact"
    """In which order images of a pass come: any anywhere, or in chunks where the disk is slow."""

    captured: bool = False
    """The whole step on fixed buffers, on a GPU captured as one graph."""

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
        captured = ["the step captured"] if self.captured else []
        return ", ".join([many, self.precision, *layout, *kernels, *captured])

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
    is given up as soon as it can't win. Steps that are long are timed on an eighth of their images.

    Args:
        model: The model; the timing runs on a copy.
        step: Computes one step of a model, forward and backward, on so many images.
        batch_size: Images in a step.
        num_steps: Steps that the run takes.
        threads: Threads, where they are not to be chosen; ``OMP_NUM_THREADS`` fixes them too.
        precision: Of the networks; ``auto`` chooses.
        memory: File that remembers choices; default ``choices.json`` in the cache folder. What was chosen for a run of
            as many steps or more, which had as long to choose, is taken again. What was chosen while other processes
            had more than a tenth of the machine is not remembered.
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
    race, watch = _Race(copy.deepcopy(model), step, num_steps, batch_size), Watch()
    best = _search(race, threads, precision)
    others = watch.others()
    if others > _DISTURBED:
        why = f", and not remembered: other processes had {others:.0%} of the machine"
    else:
        why = ""
        _remember(memory, {**remembered, key: {"num_steps": num_steps, **asdict(best)}})
    say(f"Computed with {best} (chosen by timing in {race.spent:.1f} s{why}).")
    return best


def plain(threads: int | None = None, precision: str = "float32") -> Choices:
    """The stock way, with nothing timed."""
    return Choices(
        threads=threads or torch.get_num_threads(), precision="bfloat16" if precision == "bfloat16" else "float32"
    )


def has_bfloat16() -> bool | None:
    """Whether the processor has instructions for bfloat16; None where neither torch nor the system tells.

    Without them a step can take twenty times as long.
    """
    known = getattr(torch.cpu, "get_capabilities", dict)()
    told = [known[name] for name in ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16") if name in known]
    if told:
        return any(told)
    flags = processor_flags()
    return bool(flags & {"avx512_bf16", "amx_bf16", "bf16", "svebf16"}) if flags else None


class _Race:
    """Times ways to compute a step on one model, within a budget."""

    def __init__(self, model: Model, step: Step, num_steps: int, batch_size: int):
        self.model, self.step, self.begun, self.budget = model, step, time.perf_counter(), BUDGET_S
        self.num_steps, self.batch_size = num_steps, batch_size
        self.num_images = batch_size // _FEW if batch_size >= 2 * _FEW else batch_size

    @property
    def spent(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self.begun

    def seconds(self, choices: Choices) -> float:
        """What one step takes, on as many images as are timed."""
        with choices.applied(self.model):
            start = time.perf_counter()
            self.step(self.model, self.num_images)
            return time.perf_counter() - start

    def start(self, choices: Choices) -> None:
        """Sets how many images are timed, and the budget by what a whole step takes the plain way, once warm."""
        took = self._warm(choices)
        if self.num_images < self.batch_size and took * self.batch_size / self.num_images < _SLOW_S:
            self.num_images = self.batch_size
            took = self._warm(choices)
        self.budget = min(BUDGET_S, SHARE * self.num_steps * took * self.batch_size / self.num_images)

    def _warm(self, choices: Choices) -> float:
        """What one step takes, the second time if there is time for it."""
        first = self.seconds(choices)
        return min(first, self.seconds(choices)) if self.spent < BUDGET_S / 2 else first

    def fastest(self, ways: list[Callable[[], float]]) -> int:
        """Which way is the fastest, by medians over rounds that take all in turn; the first way wins ties.

        The first round warms up. A way is given up as soon as it is hopeless, and nothing is begun that would take
        longer than what is left of the budget.
        """
        times: list[list[float]] = [[] for _ in ways]
        alive, first = list(range(len(ways))), 0.0
        for turn in range(30):
            for way in list(alive):
                if self.spent + min(times[way], default=first) > self.budget:
                    return _winner(times, alive)
                took = ways[way]()
                if turn == 0:
                    first = took if way == 0 else first
                    hopeless = took > _HOPELESS[0] * first + _ONCE_S
                else:
                    times[way].append(took)
                    best = min(map(min, filter(None, times)))
                    hopeless = min(times[way]) > _HOPELESS[min(turn, 2)] * best
                if hopeless:
                    alive.remove(way)
            if len(alive) < 2 or (turn >= 3 and sum(map(sum, times)) > _SECONDS):
                break
        return _winner(times, alive)


def _winner(times: list[list[float]], alive: list[int]) -> int:
    medians = {way: statistics.median(times[way]) for way in {0, *alive} if times[way]}
    best = min(medians, key=medians.__getitem__, default=0)
    return best if 0 in medians and medians[best] < _WORTH * medians[0] else 0


def _search(race: _Race, threads: int | None, precision: str) -> Choices:
    def quicker(best: Choices, other: Choices) -> Choices:
        return (best, other)[race.fastest([lambda way=way: race.seconds(way) for way in (best, other)])]

    best = plain(threads, precision)
    race.start(best)
    if threads is None and "OMP_NUM_THREADS" not in os.environ and best.threads > 1:
        best = quicker(best, replace(best, threads=1))
    if precision == "auto" and has_bfloat16() is not False:
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
        race.step(model, race.num_images)
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
