"""`vaelab explain --confounders`: which columns, what is kept and said, and whether the switch is seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from report_runs import NETWORKS, Page, hasty_classifiers, quick, words_drawn
from vaelab.cli import main
from vaelab.data import Data, Split
from vaelab.data.sources.npz import NpzSource
from vaelab.errors import InputError
from vaelab.experiment import Experiment
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.models import VAEConfig
from vaelab.objectives.elbo import ELBO
from vaelab.presets import preset
from vaelab.runs import load, train
from vaelab.runs.confounded import confounder_columns


def planted(folder, num_images, num_steps):
    """Images of two shapes, faint beside what the plate does to the other channel; 95 % of a shape are of one plate."""
    random = np.random.default_rng(0)
    shape = random.integers(0, 2, num_images)
    plate = np.where(random.random(num_images) < 0.95, shape, 1 - shape)
    images = random.integers(0, 30, (num_images, 2, 8, 8)).astype(np.uint8)
    images[:, 0, 1:4, 1:7] += (40 + 8 * shape).astype(np.uint8)[:, None, None]
    images[:, 1, 4:7, 1:7] += (40 + 110 * plate).astype(np.uint8)[:, None, None]
    columns = {
        "shape": np.array(["round", "long"])[shape],
        "plate": plate + 1,
        "site": np.array(["a", "b", "c"])[np.arange(num_images) % 3],
        "well": [f"w{2 * kind + i % 2}" for i, kind in enumerate(shape)],
        "cell": np.arange(num_images),
        "size": random.random(num_images),
        "stain": ["DAPI"] * num_images,
    }
    np.savez(folder / "cells.npz", images=images, channels=np.array(["DNA", "actin"]), **columns)
    experiment = Experiment(
        name="planted",
        data=Data(
            source=NpzSource(path=str(folder / "cells.npz"), layout="channels_first"),
            split=Split(validation=0.1, test=0.2),
        ),
        model=VAEConfig(latent_dim=3, likelihood=GreyBernoulliLikelihood(), **NETWORKS),
        objective=ELBO(),
        training=preset("digits").training,
    )
    return train(quick(experiment, num_steps), folder / "run", progress=False)


FLAGS = ["--label", "shape", "--to", "long", "--num-images", "6", "--num-targets", "2", "--methods", "random-direction"]


@pytest.mark.slow
def test_the_planted_plate_is_seen_to_be_followed_and_the_site_is_not(tmp_path, capsys):
    """First, since those below train classifiers in haste."""
    run = planted(tmp_path, 1500, 3000)
    flags = [*FLAGS[:4], "--num-images", "32", "--methods", "latent-shift", "--confounders", "all"]
    assert main(["explain", str(run.folder), *flags]) == 0
    said = capsys.readouterr().out
    assert "The classifier follows plate: the explanation moves plate by 0." in said
    assert "Of site nothing is said, as a classifier tells site no better than the class alone does." in said
    assert "Of well nothing is said, as shape = long and well go together so closely" in said


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return planted(tmp_path_factory.mktemp("confounded"), 300, 20)


@pytest.fixture(scope="module")
def hasty():
    with hasty_classifiers():
        yield


@pytest.fixture(scope="module")
def kept(run, hasty):
    assert main(["explain", str(run.folder), *FLAGS, "--confounders", "plate", "well", "--quiet"]) == 0
    return run.folder / "explanations" / "shape-long"


def test_every_column_of_kinds_that_repeat_is_one(run):
    opened = load(run.folder)
    assert confounder_columns(opened, "shape", ["all"]) == ("plate", "site", "well")
    assert confounder_columns(opened, "shape:category", ["site", "site"]) == ("site",)
    for column in ("cell", "size", "stain", "shape"):
        with pytest.raises(InputError, match="confounders should be other columns, of 2 to 100 kinds that repeat"):
            confounder_columns(opened, "shape", [column])


def test_numbers_of_each_column_are_kept_with_intervals(run, kept):
    table = pd.read_csv(kept / "confounders.csv")
    plate = table[table["column"] == "plate"].set_index("measure")
    assert plate["goes_with_class"].eq("2").all()
    numbers = plate["value"]
    assert numbers["moved"] - numbers["baseline_moved"] == pytest.approx(numbers["difference"], abs=1e-6)
    assert abs(numbers["toward"]) <= numbers["moved"] + 1e-6
    assert (plate["low"] <= numbers).all()
    assert (numbers <= plate["high"]).all()
    assert plate.loc["moved", "images"] == 6
    assert plate["warning"].str.contains("does not say the same of reconstructions").all()
    shapes = run.dataset.collection.table.iloc[run.splits.train]
    cells = shapes.groupby(["plate", "shape"]).size().unstack()
    assert plate["balanced_images"].eq(2 * cells.min(axis=1).sum()).all()
    assert (run.folder / "classifiers" / "plate.safetensors").exists()


def test_the_picture_carries_the_warning(run, kept, tmp_path, monkeypatch):
    said = words_drawn(monkeypatch)
    assert main(["draw", str(run.folder), "confounders", "-o", str(tmp_path / "a.png"), "--quiet"]) == 0
    assert "does not say the same of reconstructions as of images" in " ".join(" ".join(said).split())


def test_what_goes_together_wholly_is_said_and_gets_no_number(kept):
    table = pd.read_csv(kept / "confounders.csv")
    (well,) = table[table["column"] == "well"].to_dict("records")
    sentence = "shape = long and well go together so closely that no training images are left if balanced"
    assert sentence in well["verdict"]
    assert np.isnan(well["value"])
    text = Page((kept / "page.html").read_text()).text
    assert "Does it follow something else?" in text
    assert sentence in text


def test_an_explanation_without_confounders_does_not_keep_those_of_another(run, hasty, tmp_path):
    flags = [*FLAGS[:2], "--to", "round", *FLAGS[4:], "--quiet"]
    kept = run.folder / "explanations" / "shape-round"
    assert main(["explain", str(run.folder), *flags, "--confounders", "well"]) == 0
    assert (kept / "confounders.csv").exists()
    assert main(["explain", str(run.folder), *flags]) == 0
    assert not (kept / "confounders.csv").exists()
    assert "Does it follow" not in (kept / "page.html").read_text()


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            ["--label", "shape", "--to", "long", "--confounders", "plat"],
            "--confounders should be a known name, got 'plat'",
        ),
        (
            ["--label", "shape", "--to", "long", "--confounders", "cell"],
            "--confounders should be other columns, of 2 to",
        ),
        (["--label", "size", "--confounders", "plate"], "--label should be a column of classes where confounders are"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(run, hasty, flags, sentence, capsys):
    assert main(["explain", str(run.folder), *flags]) == 2
    assert sentence in capsys.readouterr().err
