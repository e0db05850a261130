"""Clusters without labels: VaDE on MNIST, by the Hungarian accuracy over three seeds.

    python -m benchmarks.vade [--data MNIST_FOLDER] [--epochs N] [--seeds 0 1 2] [--out FOLDER] [--quick]

The preset mnist-vade: first an autoencoder, then a mixture of ten Gaussians fitted to its codes, then both together. An
image's cluster is the likeliest component at its posterior's mean; the accuracy is that of the 10,000 test images. The
paper has 0.9446 for its best run (Jiang et al. 2017, table 2).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks import ledger
from benchmarks.many_runs import shown, train
from benchmarks.published import default_data
from vaelab import presets
from vaelab.distributions.mixture import fit_mixture, responsibilities
from vaelab.inference import embed
from vaelab.metrics.clustering_accuracy import clustering_accuracy
from vaelab.objectives.elbo import ELBO
from vaelab.runs import Run


def accuracies(run: Run) -> dict[str, float]:
    """By the prior's components, and by a mixture fitted to the same codes afterwards."""
    labels = np.asarray(run.dataset.collection.table["label"])
    codes = {part: embed(run.model, run.feed.batches(getattr(run.splits, part))).loc for part in ("train", "test")}
    with torch.no_grad():
        found = responsibilities(run.model.prior, torch.from_numpy(codes["test"])).argmax(1).numpy()
    afterwards = fit_mixture(codes["train"][::5].astype(float), 10, 0, "full", equal_weights=True)
    again = afterwards.predict(codes["test"].astype(float))
    return {
        "prior": clustering_accuracy(labels[run.splits.test], found)[0].value,
        "mixture on the codes": clustering_accuracy(labels[run.splits.test], again)[0].value,
    }


def main() -> None:
    """Trains, measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data(), help="the folder of MNIST's four IDX files")
    parser.add_argument("--epochs", type=float, default=None, help="passes over the training images [the preset's]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("runs/vade"), help="where the runs stand [runs/vade]")
    parser.add_argument("--quick", action="store_true", help="30 steps and one seed, not kept")
    args = parser.parse_args()
    base = presets.mnist_vade(args.data)
    training = replace(base.training, num_epochs=args.epochs or base.training.num_epochs)
    base = replace(base, training=training)
    if args.quick:
        objective = ELBO(autoencoder_steps=15)
        base = replace(base, objective=objective, training=replace(training, num_steps=30))
    seeds = args.seeds[:1] if args.quick else args.seeds
    runs = train({"vade": base}, seeds, args.out / ("quick" if args.quick else ""))["vade"]
    found = [accuracies(run) for run in runs]
    rows = [
        {
            "clusters": name,
            "seeds": " ".join(map(str, seeds)),
            "accuracies": " ".join(f"{each[name]:.4f}" for each in found),
            "passes": base.training.num_epochs,
            "accuracy": shown([each[name] for each in found]),
            "lowest": round(min(each[name] for each in found), 4),
            "highest": round(max(each[name] for each in found), 4),
            "published": 0.9446 if name == "prior" else None,
        }
        for name in found[0]
    ]
    ledger.show("VaDE on MNIST: accuracy on the test images, mean over seeds ± standard deviation", rows)
    ledger.keep("vade", rows, quick=args.quick)


if __name__ == "__main__":
    main()
