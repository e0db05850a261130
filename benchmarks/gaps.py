"""What inference loses on MNIST: approximation and amortisation gap of the IWAE paper's network, in nats per image.

    python -m benchmarks.gaps [--data FOLDER] [--epochs N] [--images N] [--by importance annealing] [--out FOLDER]

The posterior of each image is searched for from the encoder's, below which its ELBO then does not stay: from noise a
few searches of 50 latents end in a poor place, and a few are enough to hide the gap. log p(x) is estimated twice, by
importance weights of the posterior that was found for each image (2,000 draws) and, of the first 100 images, by
annealed importance sampling (500 temperatures, 16 chains), which knows nothing of it. Cremer et al. 2018 find gaps of
one to three nats on MNIST with networks of this size.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from benchmarks import ledger
from benchmarks.many_runs import train
from benchmarks.published import default_data
from vaelab import presets
from vaelab.evaluation import measure_gaps
from vaelab.inference import Search
from vaelab.metrics import Score, mean_score
from vaelab.runs import Run

ANNEALED = 100
"""Images at most whose log p(x) is found by annealing, which takes long."""
Reference = Literal["importance", "annealing"]


def measure(run: Run, num_images: int, by: Sequence[Reference], *, quick: bool) -> list[dict[str, object]]:
    """A row for each way to log p(x), of the same test images, binarised alike."""
    rows = np.sort(np.random.default_rng(0).choice(run.splits.test, num_images, replace=False))
    images, search = run.feed(rows).clone(), Search(num_steps=20 if quick else 500, start="encoder")
    found = []
    for reference in by:
        amount = {"importance": 20, "annealing": 10} if quick else {"importance": 2000, "annealing": 500}
        some = images[:ANNEALED] if reference == "annealing" else images
        measured, _ = measure_gaps(
            run.model, some, search, reference=reference, num_reference=amount[reference], num_samples=100
        )
        evidence = mean_score(measured.arrays["log_evidences"], "nats per image")
        scores = {score.metric: score for score in (*measured.scores, replace(evidence, metric="log p(x)"))}
        names = ("log p(x)", "approximation_gap", "amortisation_gap")
        found.append({"log p(x) by": reference, "images": len(some), **{name: _words(scores[name]) for name in names}})
    return found


def _words(score: Score) -> str:
    low, high = score.interval or (score.value, score.value)
    return f"{score.value:.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    """Trains, measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data(), help="the folder of MNIST's four IDX files")
    parser.add_argument("--epochs", type=float, default=30.0, help="passes over the training images [30]")
    parser.add_argument("--images", type=int, default=500, help="test images [500]")
    parser.add_argument(
        "--by", nargs="+", choices=get_args(Reference), default=get_args(Reference), help="log p(x) [both]"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/gaps"), help="where the run stands [runs/gaps]")
    parser.add_argument("--quick", action="store_true", help="a twentieth of a pass and 20 images, not kept")
    args = parser.parse_args()
    base, epochs = presets.iwae_mnist(args.data), 0.05 if args.quick else args.epochs
    experiment = replace(base, training=replace(base.training, num_epochs=epochs))
    (run,) = train({f"{epochs:g} passes": experiment}, [0], args.out)[f"{epochs:g} passes"]
    rows = [
        {"passes": epochs, **row} for row in measure(run, 20 if args.quick else args.images, args.by, quick=args.quick)
    ]
    ledger.show("Gaps of inference on dynamic MNIST, nats per image with 95 % intervals over images", rows)
    ledger.keep("gaps", rows, quick=args.quick)


if __name__ == "__main__":
    main()
