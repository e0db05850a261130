"""Likelihoods on MNIST, compared fairly: bits for the same 256 grey levels, and samples by what a classifier sees.

    python -m benchmarks.likelihoods [--data MNIST_FOLDER] [--epochs N] [--seeds 0 1 2] [--out FOLDER] [--quick]

The preset mnist (convolutions, 16 latents) with each likelihood, trained alike. The loss of each is in the table to
show that it says nothing: densities, probabilities and a cross entropy have no common unit. Fréchet distance and
agreement are of one classifier, trained on the digits' labels.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import ledger
from benchmarks.many_runs import shown, train
from benchmarks.published import default_data
from vaelab import files, presets
from vaelab.evaluation import Measured
from vaelab.likelihoods import Likelihood
from vaelab.likelihoods.beta import BetaLikelihood
from vaelab.likelihoods.categorical import CategoricalLikelihood
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.likelihoods.discretized_logistic import DiscretizedLogisticLikelihood
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.metrics import interval_of_means
from vaelab.runs import Run
from vaelab.runs.question import ask
from vaelab.runs.results import measure

METRICS = ("level_bits", "elbo", "mse", "frechet_distance", "classifier_agreement", "sharpness")
LIKELIHOODS: dict[str, Likelihood] = {
    "continuous Bernoulli": ContinuousBernoulliLikelihood(),
    "Bernoulli of grey": GreyBernoulliLikelihood(),
    "Gaussian": GaussianLikelihood(),
    "Beta": BetaLikelihood(),
    "categorical": CategoricalLikelihood(num_levels=256),
    "discretized logistic": DiscretizedLogisticLikelihood(),
}
CORRECTED = "Bernoulli of grey"


def row(name: str, found: list[Measured], corrected: list[Measured]) -> dict[str, object]:
    """One line of the table: means over seeds with their standard deviations."""
    values = {metric: [score.value for m in found if (score := m.score(metric))] for metric in METRICS}
    bits = [np.mean([m.per_image["level_bits"] for m in some], axis=0) for some in (found, corrected)]
    low, high = interval_of_means(bits[0] - bits[1]) or (float("nan"),) * 2
    return {
        "likelihood": name,
        "seeds": len(found),
        **{metric: shown(each) for metric, each in values.items()},
        "bits beyond the corrected Bernoulli": None if name == CORRECTED else f"{low:.3f} to {high:.3f}",
    }


def measured_by_one_classifier(runs: list[Run], num_images: int | None) -> list[Measured]:
    """What each run scores; the classifier that the first one trains is put beside the others, which split alike."""
    found = list[Measured]()
    for run in runs:
        for path in (runs[0].folder / "results").glob("classifier-*.safetensors"):
            files.check_folder(run.folder / "results")
            files.write(run.folder / "results" / path.name, path.read_bytes())
        found.append(measure(run, ask(run, labels="label", num_samples=1, num_images=num_images), METRICS))
    return found


def main() -> None:
    """Trains, measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data(), help="the folder of MNIST's four IDX files")
    parser.add_argument("--epochs", type=float, default=5.0, help="passes over the training images [5]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("runs/likelihoods"), help="where the runs stand")
    parser.add_argument("--quick", action="store_true", help="30 steps, one seed, 200 images; not kept")
    args = parser.parse_args()
    base = presets.mnist(args.data)
    training = replace(base.training, num_epochs=args.epochs, patience=None, num_steps=30 if args.quick else None)
    named = {
        name: replace(base, training=training, model=replace(base.model, likelihood=likelihood))  # pyright: ignore
        for name, likelihood in LIKELIHOODS.items()
    }
    seeds = args.seeds[:1] if args.quick else args.seeds
    runs = train(named, seeds, args.out / ("quick" if args.quick else f"{args.epochs:g}"))
    num_images = 200 if args.quick else None
    each = iter(measured_by_one_classifier([run for group in runs.values() for run in group], num_images))
    found = {name: [next(each) for _ in group] for name, group in runs.items()}
    rows = [{"passes": args.epochs, **row(name, measured, found[CORRECTED])} for name, measured in found.items()]
    ledger.show("Likelihoods on MNIST: mean over seeds ± standard deviation", rows)
    ledger.keep("likelihoods", rows, quick=args.quick)


if __name__ == "__main__":
    main()
