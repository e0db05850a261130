"""Factor objectives on sprites and rosettes: does training stay stable, and does the total correlation fall?

    python -m benchmarks.factors [--images sprites|rosettes] [--steps N] [--seeds 0] [--out FOLDER] [--quick]

Each penalty with growing weights on the same data (rosettes at 64x64), network, steps and seeds. On held-out images:
the total correlation of the aggregate posterior (dataset estimate), the mean absolute correlation between the latents'
means, rate and distortion; "worst" is the largest loss in the log after the first tenth of the steps, over the median.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import ledger
from benchmarks.many_runs import shown, train
from vaelab import presets
from vaelab.data import Data, Split
from vaelab.data.sources.rosettes import RosettesSource
from vaelab.evaluation import evaluate
from vaelab.experiment import Experiment
from vaelab.objectives.elbo import ELBO
from vaelab.penalties import Penalty
from vaelab.penalties.dip import DIP
from vaelab.penalties.entanglement import Entanglement
from vaelab.penalties.factor import Factor
from vaelab.penalties.hsic import HSIC
from vaelab.penalties.total_correlation import TotalCorrelation
from vaelab.runs import Run
from vaelab.training import Watching

PENALTIES: dict[str, list[Penalty]] = {
    "none": [],
    "total correlation": [TotalCorrelation(weight=weight) for weight in (1.0, 5.0, 20.0)],
    "factor": [Factor(weight=weight) for weight in (5.0, 20.0)],
    "DIP I": [DIP(variant="I", weight=weight) for weight in (5.0, 50.0)],
    "DIP II": [DIP(variant="II", weight=weight) for weight in (5.0, 50.0)],
    "HSIC": [HSIC(weight=weight) for weight in (100.0, 1000.0)],
    "entanglement": [Entanglement(weight=weight) for weight in (5.0, 50.0)],
}


def experiments(images: str, steps: int) -> dict[str, Experiment]:
    """Every penalty and weight on the same images."""
    if images == "sprites":
        base = presets.sprites()
        data = Data(source=replace(base.data.source, num_images=6000), split=Split(validation=0.05, test=0.3))  # pyright: ignore
        base = replace(base, data=data, training=replace(base.training, learning_rate=1e-3))
    else:
        base = presets.rosettes()
        base = replace(base, data=replace(base.data, source=RosettesSource(size=64)))
        base = replace(base, training=replace(base.training, batch_size=32, learning_rate=1e-3))
    training = replace(base.training, num_steps=steps, validate_every=steps)
    weight = base.objective.rate_weight if isinstance(base.objective, ELBO) else 1.0
    plain = replace(
        base,
        training=training,
        watching=Watching(log_every=max(1, steps // 40)),
        objective=ELBO(rate_weight=min(weight, 4.0) / 4),
    )
    found = {"none": plain}
    for name, penalties in PENALTIES.items():
        for penalty in penalties:
            objective = replace(plain.objective, penalties=(penalty,))
            found[f"{name} {penalty.weight:g}"] = replace(plain, objective=objective)
    return found


def measure(run: Run, num_images: int) -> dict[str, float]:
    """On so many of the run's test images, and of its log."""
    held_out = run.splits.test if len(run.splits.test) else run.splits.validation
    metrics = ["total_correlation", "rate", "distortion"]
    measured = evaluate(run.model, run.feed.batches(held_out[:num_images]), metrics=metrics, num_samples=3)
    values = {score.metric: score.value for score in measured.scores}
    active = measured.codes[:, measured.latent_variances > 0.01]
    correlation = np.corrcoef(active.T) if active.shape[1] > 1 else np.eye(1)
    off = np.abs(correlation[~np.eye(len(correlation), dtype=bool)])
    log = run.metrics()
    losses = log[(log["split"] == "train") & (log["step"] > log["step"].max() / 10)]["loss"]
    return {
        "total correlation": values["total_correlation"],
        "|correlation|": float(off.mean()) if len(off) else 0.0,
        "active": float(active.shape[1]),
        "rate": values["rate"],
        "distortion": values["distortion"],
        "worst": float(losses.max() / losses.median()),
    }


def main() -> None:
    """Trains, measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", choices=["sprites", "rosettes"], default="sprites")
    parser.add_argument("--steps", type=int, default=2000, help="optimiser steps of each [2000]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("runs/factors"), help="where the runs stand [runs/factors]")
    parser.add_argument("--quick", action="store_true", help="20 steps and few images, not kept")
    args = parser.parse_args()
    steps = 20 if args.quick else args.steps
    runs = train(experiments(args.images, steps), args.seeds, args.out / f"{args.images}-{steps}")
    rows = []
    for name, each in runs.items():
        found = [measure(run, 100 if args.quick else 1500) for run in each]
        means = {key: shown([one[key] for one in found]) for key in found[0]}
        rows.append({"penalty and weight": name, "seeds": len(each), "steps": steps, **means})
    ledger.show(f"Factor objectives on {args.images}", rows)
    ledger.keep(f"factors_{args.images}", rows, quick=args.quick)


if __name__ == "__main__":
    main()
