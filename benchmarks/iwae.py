"""More importance samples, a better model: log p(x) after equal steps with K = 1, 5 and 50 on dynamic MNIST.

    python -m benchmarks.iwae [--data MNIST_FOLDER] [--steps N] [--out FOLDER] [--quick]

The IWAE paper's one-layer network, batch 100, the same seed, schedule and number of steps; -log p(x) with 5,000 samples
on 1,000 test images, the same for all. The paper has 86.76, 85.54 and 84.78 after 3,280 passes (table 1).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import ledger
from benchmarks.many_runs import train
from benchmarks.published import default_data
from vaelab import presets
from vaelab.evaluation import evaluate
from vaelab.objectives.importance_weighted import ImportanceWeighted
from vaelab.runs import Run

PAPER = {1: 86.76, 5: 85.54, 50: 84.78}


def measure(run: Run, num_images: int, num_samples: int) -> dict[str, object]:
    """-log p(x) of the same test images, binarised alike, in nats."""
    rows = np.sort(np.random.default_rng(0).choice(run.splits.test, num_images, replace=False))
    images = run.feed.batches(rows)
    measured = evaluate(run.model, images, metrics=["log_likelihood"], num_samples=num_samples, batch_size=4000)
    (score,) = measured.scores
    low, high = sorted(-end for end in score.interval or (score.value, score.value))
    return {"-log p(x), nats": round(-score.value, 2), "95 % interval": f"{low:.2f} to {high:.2f}"}


def main() -> None:
    """Trains, measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data(), help="the folder of MNIST's four IDX files")
    parser.add_argument("--steps", type=int, default=20_000, help="optimiser steps of each [20000]")
    parser.add_argument("--out", type=Path, default=Path("runs/iwae"), help="where the runs stand [runs/iwae]")
    parser.add_argument("--quick", action="store_true", help="50 steps and few samples, not kept")
    args = parser.parse_args()
    steps = 50 if args.quick else args.steps
    base = presets.iwae_mnist(args.data)
    training = replace(base.training, num_steps=steps)
    named = {f"K {k}": replace(base, objective=ImportanceWeighted(num_samples=k), training=training) for k in PAPER}
    runs = train(named, [0], args.out / str(steps))
    amounts = (50, 20) if args.quick else (1000, 5000)
    rows = [
        {"K": k, "steps": steps, **measure(runs[f"K {k}"][0], *amounts), "images": amounts[0], "published": PAPER[k]}
        for k in PAPER
    ]
    ledger.show("Importance-weighted autoencoders on dynamic MNIST, equal steps", rows)
    ledger.keep("iwae", rows, quick=args.quick)


if __name__ == "__main__":
    main()
