"""What a training step is made of, and what else takes time: feeding, the loop, arithmetic, embedding, importing.

python -m benchmarks.costs [--quick]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import ledger, memory, pictures
from vaelab import presets
from vaelab.data import Scaling
from vaelab.data.feed import Feed
from vaelab.experiment import Experiment
from vaelab.inference import decode_mean, embed
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.machine import keep_freed_memory
from vaelab.models import Model
from vaelab.training import Batches, Choices, State, begin, choose, train
from vaelab.training.checkpoint import save_checkpoint
from vaelab.training.listeners import Checkpoints, CSVLog, Listener, ProgressBar

BLOCK = 50
"""Steps that are timed together."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Workbench:
    """A model on images, ready to train."""

    experiment: Experiment
    """Its objective, training and watching."""
    images: np.ndarray
    """As stored."""
    model: Model
    """Fresh."""
    batches: Batches
    """All images for training."""
    choices: Choices
    """What is faster here."""


def workbench(experiment: Experiment, kind: str, batch_size: int, num_images: int = 4000) -> Workbench:
    """The experiment's network on images of a kind, with the ways of computing chosen for this machine."""
    images = pictures.make(kind, num_images)
    model_config = replace(experiment.model, likelihood=GreyBernoulliLikelihood())
    training = replace(experiment.training, batch_size=batch_size, num_steps=1_000_000, schedule="constant")
    experiment = replace(experiment, model=model_config, training=training)
    torch.manual_seed(0)
    model = experiment.model.build(images.shape[1:])
    rows = np.arange(len(images))
    feed = Feed(images, Scaling().fit(images, rows))
    x = feed(rows[:batch_size])
    choices = choose(model, lambda copy, few: _backward(experiment, copy, x[:few]), batch_size=batch_size)
    batches = Batches(feed=feed, train=rows, validation=rows[:0])
    return Workbench(experiment=experiment, images=images, model=model, batches=batches, choices=choices)


def _backward(experiment: Experiment, model: Model, x: torch.Tensor) -> None:
    model.zero_grad(set_to_none=True)
    experiment.objective(model, x, 0)["loss"].mean().backward()


def bare_steps(bench: Workbench) -> Iterator[None]:
    """The step alone: gather, forward, backward, Adam; no log, no checkpoint, nothing fetched."""
    training = bench.experiment.training
    optimizer = torch.optim.Adam(bench.model.parameters(), lr=training.learning_rate, fused=True)
    random, size = np.random.default_rng(0), training.batch_size
    with bench.choices.applied(bench.model):
        bench.model.train()
        while True:
            order = random.permutation(bench.batches.train)
            for start in range(0, len(order) - size + 1, size):
                x = bench.batches.feed(order[start : start + size])
                optimizer.zero_grad(set_to_none=True)
                bench.experiment.objective(bench.model, x, 0)["loss"].mean().backward()
                optimizer.step()
                yield


@contextmanager
def whole_steps(bench: Workbench, folder: Path) -> Iterator[Iterator[State]]:
    """vaelab's loop with all that `vaelab train` listens with."""
    training, watching = bench.experiment.training, bench.experiment.watching
    state = begin(bench.model, bench.experiment.objective, bench.batches, training)
    with ExitStack() as stack:
        bar = stack.enter_context(ProgressBar(training.batch_size))
        log = CSVLog(folder / "metrics.csv", training.batch_size)
        listeners: list[Listener] = [log, Checkpoints(folder, watching), bar]

        def steps() -> Iterator[State]:
            for step in train(state, bench.batches, training, bench.choices, log_every=watching.log_every):
                for listener in listeners:
                    listener(step)
                yield step

        yield steps()


def seconds_of(work: Callable[[], object], times: int) -> float:
    """Median time of one call, after one that is not counted."""
    work()
    measured = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        measured.append(time.perf_counter() - start)
    return statistics.median(measured)


def feeding_and_loop(seconds: float) -> list[dict[str, object]]:
    """Shares of the step at 64x64x3, batch 64: feeding, and all that the loop adds."""
    bare = workbench(presets.sprites(), "cells_synthetic", 64)
    whole = replace(bare, model=bare.experiment.model.build(bare.images.shape[1:]))
    random = np.random.default_rng(0)
    feed_seconds = seconds_of(lambda: bare.batches.feed(random.integers(0, len(bare.images), 64)), 200)
    times: dict[str, list[float]] = {"bare": [], "whole": []}
    with tempfile.TemporaryDirectory() as folder, whole_steps(whole, Path(folder)) as steps:
        walks: dict[str, Iterator] = {"bare": bare_steps(bare), "whole": steps}
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(times["whole"]) < 3:
            for name, walk in walks.items():
                start = time.perf_counter()
                for _ in range(BLOCK):
                    next(walk)
                times[name].append((time.perf_counter() - start) / BLOCK)
        state = next(steps)
        saving = seconds_of(lambda: save_checkpoint(state, Path(folder) / "last.safetensors"), 5)
    step, loop = (statistics.median(times[name][1:]) for name in ("bare", "whole"))
    overhead = loop / step - 1 + saving / 60
    return [
        _share("feeding, of the step, 64x64x3", feed_seconds / step, 0.03),
        _share("loop, over the bare step", overhead, 0.03),
        _printed("a checkpoint, once a minute", f"{1000 * saving:.1f} ms"),
    ]


def arithmetic(experiment: Experiment, kind: str, batch_size: int, peak: float) -> dict[str, object]:
    """Share of the processor's bf16 matrix product that the training step reaches."""
    bench = workbench(experiment, kind, batch_size)
    x = bench.batches.feed(bench.batches.train[:batch_size])
    with FlopCounterMode(display=False) as counter:
        _backward(bench.experiment, bench.model, x)
    walk = bare_steps(bench)
    seconds = seconds_of(lambda: next(walk), 100)
    reached = counter.get_total_flops() / seconds
    what = f"{experiment.name}, batch {batch_size}: of the bf16 matrix product"
    return _printed(what, f"{reached / peak:.0%} ({batch_size / seconds:,.0f} images/s)")


def matmul_peak() -> float:
    """Operations per second of a large bfloat16 matrix product on all cores."""
    a, b = (torch.randn(2048, 2048).bfloat16() for _ in range(2))
    return 2 * 2048**3 / min(seconds_of(lambda: a @ b, 5) for _ in range(4))


def embedding() -> list[dict[str, object]]:
    """How fast images become codes, and one code an image."""
    bench = workbench(presets.sprites(), "cells_synthetic", 64)
    seconds = seconds_of(lambda: embed(bench.model, bench.batches.feed.batches()), 3)
    z = torch.randn(1, bench.model.latent_dim)
    latency = seconds_of(lambda: decode_mean(bench.model, z), 200)
    return [
        _printed("encoding, 64x64x3", f"{len(bench.images) / seconds:,.0f} images/s"),
        _limit("decoding one latent, 64x64x3", 1000 * latency, 10, "ms"),
    ]


def importing() -> list[dict[str, object]]:
    """What importing takes besides torch's own share."""
    rows = []
    for statement in ("import vaelab", "import vaelab; vaelab.train; vaelab.embed"):
        code = f"import time, torch\nstart = time.perf_counter()\n{statement}\nprint(time.perf_counter() - start)"
        command = [sys.executable, "-c", code]
        times = [float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(6)]
        seconds = statistics.median(times[1:])
        first = statement == "import vaelab"
        rows.append(_limit(statement, seconds, 0.3, "s") if first else _printed(statement, f"{seconds:.2f} s"))
    return rows


def _share(what: str, share: float, limit: float) -> dict[str, object]:
    return {"cost": what, "value": f"{share:.1%}", "floor": f"<= {limit:.0%}", "held": share <= limit}


def _limit(what: str, value: float, limit: float, unit: str) -> dict[str, object]:
    return {"cost": what, "value": f"{value:.3g} {unit}", "floor": f"< {limit:g} {unit}", "held": value < limit}


def _printed(what: str, value: str) -> dict[str, object]:
    return {"cost": what, "value": value, "floor": "printed", "held": None}


def main() -> None:
    """Measures all and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less of everything, not kept")
    args = parser.parse_args()
    keep_freed_memory()
    peak = matmul_peak()
    mlp = presets.iwae_mnist(Path(__file__).parent)
    rows = [
        *feeding_and_loop(seconds=10 if args.quick else 120),
        _printed("bf16 matrix product, 2048x2048", f"{peak / 1e9:,.0f} GFLOP/s"),
        arithmetic(presets.sprites(), "sprites", 64, peak),
        arithmetic(mlp, "digits", 256, peak),
        *embedding(),
        *importing(),
        memory.row(num_steps=100 if args.quick else 1000),
    ]
    ledger.show("Costs", rows)
    ledger.keep("costs", rows, quick=args.quick)


if __name__ == "__main__":
    main()
