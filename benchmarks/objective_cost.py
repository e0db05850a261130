"""What each objective, penalty and critic costs: time of a training step, relative to the plain ELBO.

    python -m benchmarks.objective_cost [--quick]

The network of the disentanglement benchmark at 64x64x1, batch 64, one thread, stock kernels in float32 for all, so that
only the objective differs. All contestants take steps in turn, in one process; the medians are compared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from benchmarks import ledger, pictures
from vaelab import presets
from vaelab.bounds import Bound
from vaelab.catalogue import members
from vaelab.critics import Critic
from vaelab.data.feed import Feed
from vaelab.data.scaling import Scaling
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.models import ModelConfig, TwoStageConfig, VAEConfig
from vaelab.networks.mlp import MLPEncoder
from vaelab.objectives import Objective
from vaelab.objectives.capacity import Capacity
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.importance_weighted import ImportanceWeighted
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties import Penalty
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.priors import Prior
from vaelab.training import Batches, Choices, begin, train


def contestants(vae: VAEConfig) -> dict[str, tuple[ModelConfig, Objective]]:
    """Every objective, penalty, bound, critic and prior, one difference from the plain ELBO at a time."""
    second = replace(vae, latent_dim=3, encoder=MLPEncoder(hidden=(64,)))
    found: dict[str, tuple[ModelConfig, Objective]] = {
        "ELBO": (vae, ELBO()),
        "capacity": (vae, Capacity()),
        "importance-weighted, K = 5": (vae, ImportanceWeighted(num_samples=5)),
        "two stages": (TwoStageConfig(first=vae, second=second), TwoStageObjective()),
    }
    for name, prior in members(Prior).items():
        if name != "standard_normal":
            found[f"prior {name}"] = (replace(vae, prior=prior()), ELBO())
    for name, penalty in members(Penalty).items():
        if name not in ("mutual_information", "guidance"):
            found[name] = (vae, ELBO(penalties=(penalty(),)))
    for critic in members(Critic):
        for bound in members(Bound):
            if critic == "separable" or bound == "donsker_varadhan":
                part = MutualInformation(bound=members(Bound)[bound](), critic=members(Critic)[critic]())
                found[f"information: {bound}, {critic}"] = (vae, ELBO(penalties=(part,)))
    return found


def steps(model_config: ModelConfig, objective: Objective, batches: Batches) -> Iterator[object]:
    """vaelab's own loop, step after step."""
    torch.manual_seed(0)
    training = replace(presets.sprites().training, num_steps=1_000_000)
    model = model_config.build(batches.feed(batches.train[:1]).shape[1:])  # pyright: ignore[reportArgumentType]
    return train(begin(model, objective, batches, training), batches, training, Choices(threads=1))


def main() -> None:
    """Takes the steps and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two rounds, not kept")
    args = parser.parse_args()
    images = pictures.make("sprites", 2000)
    rows = np.arange(len(images))
    batches = Batches(feed=Feed(images, Scaling().fit(images, rows)), train=rows, validation=rows[:0])
    vae = presets.sprites().model
    assert isinstance(vae, VAEConfig)
    running = {
        name: steps(model, objective, batches)
        for name, (model, objective) in contestants(replace(vae, likelihood=GreyBernoulliLikelihood())).items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in running}
    for _ in range(2 if args.quick else 40):
        for name, going in running.items():
            next(going)
            start = time.perf_counter()
            next(going)
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    table = [
        {"objective": name, "ms a step": round(1000 * value, 1), "times the ELBO": round(value / medians["ELBO"], 2)}
        for name, value in sorted(medians.items(), key=lambda pair: pair[1])
    ]
    ledger.show("Time of a training step", table)
    ledger.keep("objective_cost", table, quick=args.quick)


if __name__ == "__main__":
    main()
