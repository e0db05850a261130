"""Small runs of which reports are made in tests, and what reads a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ImageDraw

from vaelab.data import Data, Split
from vaelab.data.sources.npz import NpzSource
from vaelab.data.sources.rosettes import RosettesSource
from vaelab.evaluation import classifier
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


@contextmanager
def hasty_classifiers() -> Iterator[None]:
    """Classifiers learn for 30 steps: not enough for a verdict, but for all that is around it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"_PASSES": 1, "_FEWEST_STEPS": 30, "_MOST_STEPS": 30}.items():
            patch.setattr(classifier, name, value)
        yield


def digits_run(folder: Path) -> Run:
    """Scikit-learn's digits, hardly trained, with codes from while they were."""
    experiment = quick(preset("digits"))
    experiment = replace(experiment, watching=replace(experiment.watching, codes_every=40))
    return train(experiment, folder / "digits", progress=False)


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


def cells_run(folder: Path, num_steps: int = 200) -> Run:
    """Three kinds of images at a dose on two plates; two stages with critics, the second with a mixture prior."""
    rng = np.random.default_rng(0)
    kinds, doses = rng.integers(0, 3, 300), rng.uniform(0, 3, 300).astype(np.float32)
    images = rng.integers(0, 40, (300, 2, 8, 8), np.uint8)
    for image, kind, dose in zip(images, kinds, doses, strict=True):
        image[:, 2 * kind : 2 * kind + 3, 1 : 3 + int(dose)] += 150
    moa, plate = np.array(["DMSO", "taxol", NASTY])[kinds], np.arange(300) % 2
    np.savez(folder / "cells.npz", images=images, moa=moa, dose=doses, plate=plate, channels=np.array(["DNA", "actin"]))
    first = VAEConfig(latent_dim=6, likelihood=GreyBernoulliLikelihood(), **NETWORKS)
    info_max = ELBO(penalties=(MutualInformation(),))
    experiment = Experiment(
        name="cells",
        data=Data(source=NpzSource(path=str(folder / "cells.npz"), layout="channels_first"), condition=("moa", "dose")),
        model=TwoStageConfig(first=first, second=replace(first, latent_dim=2, prior=MixturePrior(num_components=3))),
        objective=TwoStageObjective(first=info_max, second=info_max, first_alone_steps=3 * num_steps // 10),
        training=preset("digits").training,
    )
    return train(quick(experiment, num_steps), folder / "run", progress=False)


def rosettes_run(folder: Path, name: str = "rosettes_punctured") -> Run:
    """A small plane of curves with a hole, hardly trained."""
    base = preset(name)
    source = RosettesSource(subset="probed", num_images=120, size=16, line_width=1.0)
    model = VAEConfig(latent_dim=3, likelihood=GreyBernoulliLikelihood(), posterior_scale=0.1, **NETWORKS)
    small = replace(base, data=replace(base.data, source=source), model=model, objective=ELBO())
    return train(quick(small, 40), folder / name, progress=False)


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


def words_drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written on pictures from now on."""
    said, write = list[str](), ImageDraw.ImageDraw.multiline_text

    def noted(pen, at, words, **how):
        said.append(words)
        write(pen, at, words, **how)

    monkeypatch.setattr(ImageDraw.ImageDraw, "multiline_text", noted)
    return said
