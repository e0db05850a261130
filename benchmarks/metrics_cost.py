"""What each metric costs: seconds and memory at 1,000, 10,000 and 100,000 images, and how both grow.

    python -m benchmarks.metrics_cost [--quick] [--images 1000 10000 100000]

Each metric is computed in a process of its own, of arrays that are there already: 28x28x1 pixels, 10 latents, 2
factors, 10 labels. What several metrics share (the ranks of neighbours) has rows of its own. Metrics of pixels alone
are asked for 256 images at a time, as `evaluate` does. Growth is the power of the number of images. Memory is what
Python and numpy allocate.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import time
import tracemalloc
from collections.abc import Callable
from inspect import signature

import numpy as np

from benchmarks import ledger
from vaelab.evaluation import all_metrics
from vaelab.evaluation._derived import DERIVED, fill, sources
from vaelab.evaluation.moves import MOST_IMAGES
from vaelab.metrics import PerImage

RANKS = ("image_ranks", "factor_ranks")
_PIXELS = {"images", "reconstructions"}
_BATCH = 256
STEPS = 10
"""Of a series that an explanation draws, and of a deletion test."""
MOST_SECONDS = 600
"""Of one metric: one that would take longer at more images, if it grew as their square, is not computed of them."""


def arrays(count: int, wanted: set[str]) -> dict[str, object]:
    """As many of the arrays that metrics ask for, of codes that say something of images and factors."""
    random = np.random.default_rng(0)
    factors = random.normal(size=(count, 2)).astype(np.float32)
    codes = (factors @ random.normal(size=(2, 10)) + 0.3 * random.normal(size=(count, 10))).astype(np.float32)
    made: dict[str, Callable[[], object]] = {
        "codes": lambda: codes,
        "scales": lambda: (0.1 + 0.2 * random.random(codes.shape)).astype(np.float32),
        "latent_rates": lambda: random.gamma(2.0, size=codes.shape),
        "factors": lambda: factors,
        "clusters": lambda: np.arange(count) // 2 % 10,
        "images": lambda: _images(factors),
        "reconstructions": lambda: _images(0.9 * factors),
        "effective_samples": lambda: 1 + 9 * random.random(count),
        "class_probabilities": lambda: random.dirichlet(np.ones(10), count),
    }
    facts = {"num_samples": 10, "num_pixels": 784, "num_levels": 256, "space": "levels", "channels": ("grey",)}
    others = _shapes(wanted - made.keys() - facts.keys()).items()
    given = {name: of_shape(shape, count, random) for name, shape in others}
    given |= {name: make() for name, make in made.items() if name in wanted}
    return {name: array for name, array in given.items() if array is not None} | facts


def of_shape(shape: str, count: int, random: np.random.Generator) -> np.ndarray | None:
    """An array of the kind that a metric's parameter is annotated with; None: it is a setting."""
    if shape in ("Labels", "Groups", "Classes"):
        return random.integers(10, size=count)
    if shape == "ReplacedClasses":
        return random.integers(10, size=(count, 2, STEPS))
    if shape == "Regions":
        return random.random((count, 2)) < 0.5
    trailing = {
        **{"PerImage": (), "Numbers": (), "PerChannel": (1,), "Features": (64,), "Moves": (10, 1)},
        **{"Steps": (STEPS,), "StepCodes": (STEPS, 10), "StepFeatures": (STEPS, 64), "Replaced": (2, STEPS)},
    }
    if shape not in trailing:
        return None
    return random.random((MOST_IMAGES if shape == "Moves" else count, *trailing[shape]))


def _shapes(names: set[str]) -> dict[str, str]:
    """Name -> how a metric that asks for it annotates it."""
    asked = [parameter for metric in all_metrics().values() for parameter in signature(metric).parameters.values()]
    return {each.name: each.annotation.split(" |")[0] for each in asked if each.name in names}


def _images(factors: np.ndarray) -> np.ndarray:
    axes = np.random.default_rng(1).normal(size=(2, 784)).astype(np.float32)
    return (0.5 + 0.5 * np.tanh(factors @ axes)).reshape(-1, 1, 28, 28)


def cost(name: str, count: int) -> tuple[float, float]:
    """Seconds of the processor and peak memory, in GB beside the arrays, of one metric or one derived array."""
    metric = all_metrics([name])[name] if name not in RANKS else None
    takes = (name,) if metric is None else metric.takes
    known = {"codes", "scales", "latent_rates", "factors", "labels", "clusters", *_PIXELS}
    given = arrays(count, {source for need in takes for source in sources(need, known)})
    for need in DERIVED[name][0] if metric is None else takes:
        fill(given, need)
    tracemalloc.start()
    start = time.process_time()
    if metric is None:
        fill(given, name)
    else:
        taken = {need: given[need] for need in metric.takes if need in given}
        if isinstance(metric, PerImage) and _PIXELS.issuperset(metric.needs):
            pieces = range(0, count, _BATCH)
            batches = ({k: v[i : i + _BATCH] if k in _PIXELS else v for k, v in taken.items()} for i in pieces)
            metric.scores(np.concatenate([metric.values(**batch) for batch in batches]), given)
        else:
            metric(**taken)
    return time.process_time() - start, tracemalloc.get_traced_memory()[1] / 1e9


def rows(counts: list[int]) -> list[dict[str, object]]:
    """A row for each metric and each shared array."""
    found = []
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        for name in [*RANKS, *all_metrics()]:
            costs: dict[int, tuple[float, float]] = {}
            for count in counts:
                last = max(costs, default=0)
                if not last or costs[last][0] * (count / last) ** 2 < MOST_SECONDS:
                    costs[count] = pool.apply(cost, (name, count))
            row: dict[str, object] = {"metric": name}
            for count in counts:
                seconds, memory = costs.get(count, (math.nan, math.nan))
                row |= {f"s at {count:,}": round(seconds, 3), f"GB at {count:,}": round(memory, 3)}
            if len(costs) > 1:
                (one, (before, _)), (other, (after, _)) = list(costs.items())[-2:]
                row["growth"] = round(math.log(max(after, 1e-3) / max(before, 1e-3)) / math.log(other / one), 1)
            found.append(row)
            print(row, flush=True)
    return found


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="300 and 1,000 images, not kept")
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000, 100_000], metavar="N")
    args = parser.parse_args()
    counts = [300, 1000] if args.quick else args.images
    table = rows(counts)
    whole: dict[str, object] = {"metric": "all together"}
    for count in counts:
        seconds, memory = ([float(str(row[f"{what} at {count:,}"])) for row in table] for what in ("s", "GB"))
        whole |= {f"s at {count:,}": round(np.nansum(seconds), 1), f"GB at {count:,}": np.nanmax(memory)}
    table.append(whole | ({"growth": None} if len(counts) > 1 else {}))
    ledger.show("Metrics, seconds of one core and GB beside the arrays", table)
    ledger.keep("metrics_cost", table, quick=args.quick)


if __name__ == "__main__":
    main()
