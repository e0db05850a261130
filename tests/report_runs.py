"""Small runs of which reports are made in tests, and what reads a page."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import torch

from vaelab.data import Data, Split
from vaelab.data.sources.npz import NpzSource
from vaelab.data.sources.rosettes import RosettesSource
from vaelab.experiment import Experiment
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.presets import preset
from vaelab.priors.mixture import MixturePrior
from vaelab.runs import Run, train

NASTY = '<script>alert("1")</script>'
NETWORKS = {"encoder": MLPEncoder(hidden=(32,)), "decoder": MLPDecoder(hidden=(32,))}


def quick(experiment: Experiment, num_steps: int = 120) -> Experiment:
    """The experiment, short and without timing."""
    training = replace(experiment.training, num_steps=num_steps, validate_every=20)
    machine, watching = replace(experiment.machine, tune=False), replace(experiment.watching, log_every=10)
    return replace(experiment, training=training, machine=machine, watching=watching)


def digits_run(folder: Path) -> Run:
    """Scikit-learn's digits, hardly trained."""
    return train(quick(preset("digits")), folder / "digits", progress=False)


def five_channels_run(folder: Path) -> Run:
    """Five channels with names and labels that are HTML, odd sides, no test split, a collapsed model."""
    images = np.random.default_rng(0).integers(0, 60, (120, 5, 9, 12), np.uint8)
    labels = np.array([NASTY, "b & c"])[np.arange(120) % 2]
    channels = np.array(["DNA", NASTY, "er", "golgi", "mito"])
    np.savez(folder / "cells.npz", images=images, label=labels, channels=channels)
    experiment = Experiment(
        name="five",
        data=Data(source=NpzSource(path=str(folder / "cells.npz"), layout="channels_first"), split=Split(test=0)),
        model=VAEConfig(latent_dim=1, likelihood=GreyBernoulliLikelihood(), **NETWORKS),
        objective=ELBO(rate_weight=1000.0),
        training=preset("digits").training,
    )
    return train(quick(experiment, 60), folder / "run", progress=False)


def cells_run(folder: Path) -> Run:
    """Three kinds of images at a dose; two stages with critics, the second with a mixture prior."""
    rng = np.random.default_rng(0)
    kinds, doses = rng.integers(0, 3, 300), rng.uniform(0, 3, 300).astype(np.float32)
    images = rng.integers(0, 40, (300, 2, 8, 8), np.uint8)
    for image, kind, dose in zip(images, kinds, doses, strict=True):
        image[:, 2 * kind : 2 * kind + 3, 1 : 3 + int(dose)] += 150
    moa = np.array(["DMSO", "taxol", NASTY])[kinds]
    np.savez(folder / "cells.npz", images=images, moa=moa, dose=doses, channels=np.array(["DNA", "actin"]))
    first = VAEConfig(latent_dim=6, likelihood=GreyBernoulliLikelihood(), **NETWORKS)
    info_max = ELBO(penalties=(MutualInformation(),))
    experiment = Experiment(
        name="cells",
        data=Data(source=NpzSource(path=str(folder / "cells.npz"), layout="channels_first"), condition=("moa", "dose")),
        model=TwoStageConfig(first=first, second=replace(first, latent_dim=2, prior=MixturePrior(num_components=3))),
        objective=TwoStageObjective(first=info_max, second=info_max, first_alone_steps=60),
        training=preset("digits").training,
    )
    return train(quick(experiment, 200), folder / "run", progress=False)


def rosettes_run(folder: Path) -> Run:
    """A known plane of two factors, and as many latents."""
    rosettes = preset("rosettes")
    experiment = replace(
        rosettes,
        data=replace(rosettes.data, source=RosettesSource(num_images=400, size=12)),
        model=VAEConfig(latent_dim=2, likelihood=GreyBernoulliLikelihood(), **NETWORKS),
        objective=ELBO(),
        training=replace(preset("digits").training, batch_size=32),
    )
    return train(quick(experiment), folder / "rosettes", progress=False)


def condition_of(run: Run, rows: np.ndarray, moa: str | None = None, dose: float | None = None) -> torch.Tensor:
    """(image, number) of a `cells_run`: kind one-hot and dose in standard deviations, by hand."""
    table = run.dataset.collection.table
    kinds = table["moa"].iloc[rows] if moa is None else [moa] * len(rows)
    doses = table["dose"].to_numpy(np.float64)
    train_doses = doses[run.splits.train]
    scaled = ((doses[rows] if dose is None else np.full(len(rows), dose)) - train_doses.mean()) / train_doses.std()
    hot = np.array([[kind == name for name in sorted(set(table["moa"]))] for kind in kinds], float)
    return torch.from_numpy(np.column_stack([hot, scaled]).astype(np.float32))


class Page(HTMLParser):
    """What stands in a page: tags with attributes, and its text; `unclosed` are tags that don't end where they must."""

    VOID = frozenset({"meta", "link", "img", "br", "wbr", "input", "hr"})

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.unclosed: list[str] = []
        self.feed(html)
        self.unclosed += self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.unclosed.append(f"/{tag}")

    def handle_data(self, data):
        self.text += data

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]
