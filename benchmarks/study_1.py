"""Study 1 measured stage by stage: the models of `vaelab study cells` beside an untrained encoder.

    python -m benchmarks.study_1 [--images synthetic|bbbc021] [--epochs N] [--seeds 0 1 2] [--out FOLDER] [--quick]

The study's architecture and objective, Adam 1e-4 (critics 5e-4) and batch 32, on 7,387 synthetic cells with their known
plane, or on real ones split by plate. Each row is measured on the same held-out images: error per channel, rate,
mutual information by the interpolated bound with its ceiling, active units, and how well a linear and a
nearest-neighbour probe read x, y and the outline's irregularity off the latents. "untrained" is an encoder with random
weights: what a probe finds without any learning. Runs stand in --out and are not trained again.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks import ledger
from benchmarks.many_runs import say, shown, train
from benchmarks.published import default_data
from vaelab.evaluation import evaluate
from vaelab.experiment import Experiment
from vaelab.inference import embed
from vaelab.metrics.probe_r2 import Probe, probe_r2
from vaelab.models import Model
from vaelab.runs import Run
from vaelab.studies import find

TRUTH = ("x", "y", "irregularity")
METRICS = ("mse", "elbo", "rate", "mutual_information", "active_units")


def experiments(images: str, epochs: float) -> dict[str, Experiment]:
    """Those of the study `cells`, each trained alike."""
    real = str(default_data().parent / "bbbc021" / "bbbc021_cells64.npz") if images == "bbbc021" else None
    return {
        each.name: replace(each, training=replace(each.training, num_epochs=epochs))
        for each in find("cells", real).experiments
    }


def measure(run: Run, model: Model) -> dict[str, float]:
    """What stands in the table, on the run's test images."""
    images = run.feed.batches(run.splits.test)
    measured = evaluate(model, images, metrics=METRICS, num_samples=20, channels=run.channels)
    scores = {score.metric: score for score in measured.scores if not score.part}
    found = {f"mse {score.part}": score.value for score in measured.scores if score.metric == "mse" and score.part}
    information = scores["mutual_information"]
    found |= {
        "-ELBO": -scores["elbo"].value,
        "rate": scores["rate"].value,
        "MI >=": information.value,
        "ceiling": information.ceiling or float("nan"),
        "active": scores["active_units"].value,
    }
    return found | probes(run, model)


def probes(run: Run, model: Model) -> dict[str, float]:
    """R^2 of the known plane from the latents, where it is known."""
    table = run.dataset.collection.table
    truth = [name for name in TRUTH if name in table]
    if not truth:
        return {}
    codes = {part: embed(model, run.feed.batches(getattr(run.splits, part))).loc for part in ("train", "test")}
    kinds: dict[str, Probe] = {"lin": "linear", "kNN": "neighbours"}
    return {
        f"R2 {name} {short}": probe_r2(
            codes["test"], np.asarray(table[[name]])[run.splits.test], (),
            codes["train"], np.asarray(table[[name]])[run.splits.train], probe,
        )[0].value
        for name in truth
        for short, probe in kinds.items()
    }  # fmt: skip


def table(runs: dict[str, list[Run]]) -> list[dict[str, object]]:
    """A row for each model and stage: means over the seeds, with their standard deviation where there are several."""
    found: dict[str, list[dict[str, float]]] = {}
    for name, each in runs.items():
        for run in each:
            for stage, model in run.model.stages().items():
                shown_as = f"{name}: {stage}" if stage else name
                found.setdefault(shown_as, []).append(measure(run, model))
                say(f"{shown_as}: {found[shown_as][-1]}")
    first = runs["vanilla"][0]
    torch.manual_seed(0)
    untrained = first.experiment.model.build(first.model.image_shape)
    found["untrained"] = [measure(first, untrained)]
    return [
        {"model": name, "seeds": len(rows), **{key: shown([row[key] for row in rows]) for key in rows[0]}}
        for name, rows in found.items()
    ]


def main() -> None:
    """Trains, measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", choices=["synthetic", "bbbc021"], default="synthetic")
    parser.add_argument("--epochs", type=float, default=150.0, help="passes over the training images [the study's 150]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("runs/study_1"), help="where the runs stand [runs/study_1]")
    parser.add_argument("--quick", action="store_true", help="a twentieth of a pass and one seed, not kept")
    args = parser.parse_args()
    named = experiments(args.images, 0.05 if args.quick else args.epochs)
    runs = train(
        named, args.seeds[:1] if args.quick else args.seeds, args.out / ("quick" if args.quick else "") / args.images
    )
    rows = table(runs)
    ledger.show(f"Study 1 on {args.images} cells, {args.epochs:g} passes: mean over seeds ± standard deviation", rows)
    ledger.keep(f"study_1_{args.images}", [{"epochs": args.epochs, **row} for row in rows], quick=args.quick)


if __name__ == "__main__":
    main()
