"""Study 1: cells by one stage, weighed, rewarded for information, and by two stages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vaelab.data.sources.cells_synthetic import CellsSyntheticSource
from vaelab.experiment import Experiment
from vaelab.objectives.elbo import ELBO
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.presets import preset
from vaelab.runs.entries import stage_name
from vaelab.studies._asked import Measuring, Shown, ask
from vaelab.studies._study import Study

_QUICK: dict[str, Any] = {"num_steps": 400, "learning_rate": 5e-4}
_SMALL = CellsSyntheticSource(num_images=2000, size=32)
_STAGES = ("two-stage-single", "two-stage-double")
_FIRST = tuple(stage_name(name, "first") for name in _STAGES)
_ALONE = ("vanilla", *_FIRST)
_BETAS = ("vanilla", "beta-2", "beta-4")


def cells(data: str | None = None, *, quick: bool = False) -> Study:
    """VAE, beta-VAE, InfoMax-VAE and two stages on cells, by neighbourhoods, known truth and errors of each channel.

    Synthetic cells, whose plane (x, y) and outline are known, or real ones. The architecture, Adam and batch are those
    of the study. A model of two stages goes by its second, which has three latents; its first, which has a hundred, is
    compared too.

    *Source*: study 1 of vaelab's own list, after meeting notes of 2020.

    Args:
        data: A file of real cells, such as bbbc021_cells64.npz, split by plate; None: synthetic ones.
        quick: 400 steps at a higher rate, one seed and, of synthetic cells, 2,000 of 32x32, in place of 150 passes,
            three seeds and 7,387 of 64x64.
    """
    base, two = preset("cells-synthetic"), preset("cells-two-stage")
    images = replace(base.data, source=_SMALL) if quick else base.data
    images = images if data is None else preset("cells", data).data
    training = replace(base.training, patience=None, **(_QUICK if quick else {}))
    found = (
        replace(base, name="vanilla"),
        replace(base, name="beta-2", objective=ELBO(rate_weight=2.0)),
        replace(base, name="beta-4", objective=ELBO(rate_weight=4.0)),
        replace(base, name="info-max", objective=ELBO(penalties=(MutualInformation(),))),
        *(_two_stage(two, name, embed) for name, embed in zip(_STAGES, ("single", "double"), strict=True)),
    )
    known = data is None
    truth = (
        ask("Whose code tells the known plane, by a line?", "probe_r2"),
        ask("Whose code is ordered as the known plane is?", "factor_neighbours"),
        ask("Whose latents are each one known number?", "mcc"),
    )
    channels = tuple(
        ask(f"Who draws {name} best?", "mse", part=name) for name in (("red", "green", "blue") if known else ())
    )
    return Study(
        name="cells" if known else "cells-real",
        experiments=tuple(replace(each, data=images, training=training) for each in found),
        seeds=(0,) if quick else (0, 1, 2),
        questions=(
            ask("Which model gives held-out cells the highest probability?", "log_likelihood"),
            ask("Does a reward for information keep more of it?", "mutual_information", "vanilla", "info-max"),
            ask("What does a heavier rate take from the code?", "mutual_information", *_BETAS, against="vanilla"),
            ask("Is a second stage that reads features better than one that reads the first code?", "elbo", *_STAGES),
            ask("How many of a second stage's three latents are active?", "active_units", *_STAGES),
            ask("Does a first stage keep as much as a VAE that stands alone?", "mse", *_ALONE, against="vanilla"),
            ask("And does its code say as much of the image?", "mutual_information", *_ALONE, against="vanilla"),
            ask("What do three latents cost against a hundred?", "mse", "vanilla", *_STAGES, against="vanilla"),
            *channels,
            ask("Whose code keeps the images' neighbourhoods?", "r_nx"),
            ask("Whose near codes are of near images?", "trustworthiness"),
            *(truth if known else ()),
        ),
        pictures=(
            Shown(part="plane"),
            Shown(part="manifold", experiments=("vanilla", *_STAGES)),
            Shown(part="traversal", experiments=_STAGES),
            Shown(part="channel_changes", experiments=_STAGES),
        ),
        measuring=Measuring(factors=("x", "y") if known else (), num_samples=20),
    )  # fmt: skip


def _two_stage(two: Experiment, name: str, embed: str) -> Experiment:
    return replace(two, name=name, model=replace(two.model, embed=embed))  # pyright: ignore[reportCallIssue]
