"""How well neighbours of images stay neighbours by code: AE, VAE, InfoMax and two-stage VAE beside PCA, t-SNE and UMAP.

    python -m benchmarks.neighbourhoods [--images mnist|bbbc021 ...] [--epochs N] [--seeds 0 1] [--out FOLDER] [--quick]

Equal networks and steps for all models, 16 latents (the second of two stages has 3); MNIST with perceptrons of 256
units, BBBC021 with the convolutions of its preset, divided by plate. Each code is set against the pixels of the same
held-out images, 1,000 at most. PCA is fitted to training images; t-SNE and UMAP make no code for an image that they
have not seen, so theirs are maps of the measured images themselves, which is an advantage. UMAP stands in the table
where umap-learn is installed. Runs stand in --out and are not trained again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.decomposition import PCA

from benchmarks import ledger
from benchmarks.many_runs import say, shown, train
from benchmarks.published import default_data
from vaelab import presets
from vaelab.evaluation import neighbourhood, project, projections
from vaelab.experiment import Experiment
from vaelab.inference import embed
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.runs import Run

LATENTS, MOST_IMAGES, MOST_TRAINING = 16, 1000, 5000
COLUMNS = ("trustworthiness", "continuity", "R_NX")


def experiments(images: str, epochs: float) -> dict[str, Experiment]:
    """The four models, trained alike."""
    data = default_data()
    if images == "mnist":
        base = presets.mnist(data)
        networks = {"encoder": MLPEncoder(hidden=(256,)), "decoder": MLPDecoder(hidden=(256,))}
        model = replace(base.model, latent_dim=LATENTS, **networks)
    else:
        base = presets.cells(data.parent / "bbbc021" / "bbbc021_cells64.npz")
        model = replace(base.model, latent_dim=LATENTS)
    assert isinstance(model, VAEConfig)
    training = replace(base.training, num_epochs=epochs, patience=None)
    base = replace(base, model=model, training=training, machine=replace(base.machine, tune=False))
    second = replace(model, latent_dim=3, encoder=MLPEncoder(hidden=(64,)))
    two = TwoStageConfig(first=model, second=second)
    return {
        "AE": replace(base, objective=ELBO(rate_weight=0.0)),
        "VAE": base,
        "InfoMax": replace(base, objective=ELBO(penalties=(MutualInformation(),))),
        "two-stage": replace(base, model=two, objective=TwoStageObjective()),
    }


def rows(images: str, runs: dict[str, list[Run]]) -> Iterator[dict[str, object]]:
    """The table: each model as the mean over its seeds, then what needs no network."""
    run = next(iter(runs.values()))[0]
    there = run.splits.test
    chosen = np.sort(np.random.default_rng(0).permutation(there)[:MOST_IMAGES])
    x = np.concatenate([batch.flatten(1).numpy() for batch in run.feed.batches(chosen)])

    def row(name: str, numbers: int, found: list[list[float]], how: str) -> dict[str, object]:
        values = {column: shown(each) for column, each in zip(COLUMNS, zip(*found, strict=True), strict=True)}
        return {"images": f"{images}, {len(x):,}", "code": name, "numbers": numbers, **values, "fitted to": how}

    def score(codes: np.ndarray) -> list[float]:
        return [each.value for each in neighbourhood(codes, x)]

    for name, seeds in runs.items():
        for stage in seeds[0].stages:
            codes = [embed(each.model.stages()[stage], each.feed.batches(chosen)).loc for each in seeds]
            yield row(" ".join(filter(None, (name, stage))), codes[0].shape[1], [*map(score, codes)], "training images")
    some = np.random.default_rng(0).permutation(run.splits.train)[:MOST_TRAINING]
    others = np.concatenate([batch.flatten(1).numpy() for batch in run.feed.batches(np.sort(some))])
    pca = PCA(LATENTS, random_state=0).fit(others)
    for numbers in (LATENTS, 2):
        yield row("PCA", numbers, [score(pca.transform(x)[:, :numbers])], "training images")
    for name in projections()[1:]:
        began = perf_counter()
        points = project(x, name)
        say(f"{name} of {len(x):,} images: {perf_counter() - began:.0f} s")
        yield row(name, 2, [score(points)], "these images")


def main() -> None:
    """Trains, measures and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", nargs="+", choices=("mnist", "bbbc021"), default=("mnist", "bbbc021"))
    parser.add_argument("--epochs", type=float, default=20, help="passes over the training images [20]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="a model for each [0 1]")
    parser.add_argument("--out", type=Path, default=Path("runs/neighbourhoods"), help="where the runs stand")
    parser.add_argument("--quick", action="store_true", help="a twentieth of a pass and one seed, not kept")
    args = parser.parse_args()
    epochs, seeds = (0.05, args.seeds[:1]) if args.quick else (args.epochs, args.seeds)
    for images in args.images:
        runs = train(experiments(images, epochs), seeds, args.out / f"{images}-{epochs:g}")
        table = list(rows(images, runs))
        ledger.show(f"Neighbours by code and by pixels: {images}, {epochs:g} passes, {len(seeds)} seeds", table)
        settings = {"epochs": epochs, "seeds": len(seeds)}
        ledger.keep("neighbourhoods", [{**settings, **each} for each in table], quick=args.quick)


if __name__ == "__main__":
    main()
