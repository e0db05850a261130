"""A small real run that the explorer shows in tests: a few hundred cells of BBBC021, hardly trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from report_runs import NETWORKS, digits_run, hasty_classifiers, quick
from vaelab.cli import main
from vaelab.data import Data, Split
from vaelab.data.sources.npz import NpzSource
from vaelab.experiment import Experiment
from vaelab.explorer.columns import Columns
from vaelab.explorer.selections import Selections
from vaelab.explorer.view import open_view
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.models import VAEConfig
from vaelab.objectives.elbo import ELBO
from vaelab.presets import preset
from vaelab.runs import Run, train

NASTY = "<img src=x onerror=document.title='broken'>"
"""A name and a kind that is HTML."""


def real_cells(shared: Path, folder: Path, count: int = 240) -> Path:
    """Every so many of the real cells, in 16 bits, with names and a kind that is HTML, as an npz of its own."""
    with np.load(shared / "bbbc021" / "bbbc021_cells64.npz") as file:
        rows = np.linspace(0, len(file["images"]) - 1, count).astype(int)
        images = file["images"][rows].astype(np.uint16) * 257
        moa, concentration = file["moa_names"][file["moa"][rows]].astype("U60"), file["concentration"][rows]
    moa[5:30] = NASTY
    names = np.array([f"cell-{i:03d}.tif" for i in range(count)])
    names[7] = f"{NASTY}.tif"
    path = folder / "cells.npz"
    np.savez(path, images=images, moa=moa, concentration=concentration, filename=names, dose=np.linspace(0, 1, count),
             channels=np.array(["DNA", "actin", "tubulin"]))  # fmt: skip
    return path


def explored_run(shared: Path, folder: Path) -> Run:
    """Trained for some steps, with half of the cells held out."""
    experiment = Experiment(
        name="explored",
        data=Data(source=NpzSource(path=str(real_cells(shared, folder))), split=Split(test=0.5)),
        model=VAEConfig(latent_dim=10, likelihood=GaussianLikelihood(), **NETWORKS),
        objective=ELBO(),
        training=replace(preset("digits").training, learning_rate=1e-3),
    )
    return train(quick(experiment, 20), folder / "run", progress=False)


def explained_run(folder: Path) -> Run:
    """Digits, hardly trained; of a column that was kept in the explorer a class is explained, and what latents mean."""
    run = digits_run(folder)
    view = open_view(run, "all")
    light = view.stored(range(len(view))).mean((1, 2, 3))
    Selections(view, Columns(view)).keep("bright", light > np.median(light))
    few = ["--num-targets", "4", "--methods", "latent-shift", "random-direction", "--confounders", "label"]
    with hasty_classifiers():
        assert main(["explain", str(run.folder), "--label", "bright", "--to", "yes", "--num-images", "3", *few]) == 0
    assert main(["explain", str(run.folder), "--latents", "--label", "bright", "--num-images", "40", "--quiet"]) == 0
    return run


def another_run(run: Run, folder: Path) -> Run:
    """Of the same images, other latents, and held-out images that are the same in part."""
    experiment = run.experiment
    data = replace(experiment.data, split=replace(experiment.data.split, seed=3))
    return train(replace(experiment, data=data, model=replace(experiment.model, latent_dim=4)), folder, progress=False)


def tiny_run(folder: Path, *, latent_dim: int = 2, channels: int = 1, held_out: int = 40) -> Run:
    """Generated images of 8x8 pixels, one step of training: a run of odd numbers in a second."""
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 255, (2 * held_out + 10, channels, 8, 8), np.uint8)
    names = np.array([f"channel {c}" for c in range(channels)])
    np.savez(folder / "images.npz", images=images, channels=names)
    source = NpzSource(path=str(folder / "images.npz"), layout="channels_first")
    experiment = Experiment(
        name=folder.name,
        data=Data(source=source, split=Split(validation=5, test=held_out)),
        model=VAEConfig(latent_dim=latent_dim, likelihood=GaussianLikelihood(), **NETWORKS),
        objective=ELBO(),
        training=preset("digits").training,
    )
    return train(quick(experiment, 2), folder / "run", progress=False)
