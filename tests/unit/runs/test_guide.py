"""Guidance: chosen images go where they are wanted, and what else moved is said."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from vaelab.cli import main
from vaelab.errors import InputError
from vaelab.experiment import read, write
from vaelab.inference import embed
from vaelab.objectives.elbo import ELBO
from vaelab.penalties.guidance import Guidance
from vaelab.presets import digits
from vaelab.runs import load
from vaelab.runs.guide import guide, read_anchors

SHORT = ["--model.latent-dim", "2", "--training.num-epochs", "2", "--quiet"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "digits"
    assert main(["train", "digits", "--out", str(folder), *SHORT]) == 0
    return folder


def test_chosen_images_come_to_lie_at_their_anchors(run, tmp_path, capsys):
    anchors = tmp_path / "anchors.csv"
    anchors.write_text("image,z0,z1,delta\n3,2.5,2.5,1\n8,-2.5,2.5,2\n")
    out = tmp_path / "guided"
    flags = ["--weight", "20", "--steps", "150", "--learning-rate", "3e-3", "--out", str(out)]
    assert main(["guide", str(run), str(anchors), *flags]) == 0
    said = capsys.readouterr().out
    guided = load(out)
    codes = embed(guided.model, guided.feed(np.array([3, 8]))).loc
    old = embed(load(run).model, guided.feed(np.array([3, 8]))).loc
    places = np.array([[2.5, 2.5], [-2.5, 2.5]])
    assert (np.linalg.norm(codes - places, axis=1) < 0.2).all()
    assert (np.linalg.norm(old - places, axis=1) > 1).all()
    moves = pd.read_csv(out / "moves.csv")
    assert len(moves) == 1797
    assert moves.loc[moves.is_anchor, "image"].tolist() == [3, 8]
    before, after = (embed(load(f).model, guided.feed(np.arange(20))).loc for f in (run, out))
    assert moves["moved"][:20].to_numpy() == pytest.approx(np.linalg.norm(after - before, axis=1), rel=1e-4)
    assert "The other 1,795 images moved" in said
    kept = read(out / "experiment.json")
    assert kept.objective.penalties[0].deltas == (1.0, 2.0)
    assert json.loads((out / "experiment.json").read_text())["name"] == "digits-guided"


@pytest.fixture(scope="module")
def two_stages(tmp_path_factory):
    """Both stages with batch normalisation, under the digit's label."""
    folder = tmp_path_factory.mktemp("runs") / "two"
    small = ("widths", "8,16"), ("norm", "batch"), ("dense", "32")
    networks = [f"--model.first.encoder.{name}={value}" for name, value in small]
    flags = ["--model", "two_stage", "--model.first.latent-dim", "5", "--model.second.latent-dim", "2"]
    flags += ["--objective", "two_stage", "--objective.first-alone-steps", "3", "--data.condition", "label"]
    flags += ["--model.first.encoder", "conv", *networks, "--data.binarize", "threshold", *SHORT[2:]]
    assert main(["train", "digits", "--out", str(folder), *flags]) == 0
    return folder


@pytest.mark.parametrize("stage", ["first", "second"])
def test_either_stage_is_guided_under_the_images_conditions(two_stages, tmp_path, stage):
    run = load(two_stages)
    old = run.at_stage(stage)
    rows, places = np.array([3, 8]), np.full((2, old.model.latent_dim), 1.5)
    places[1, 0] *= -1
    guidance = Guidance(weight=20.0, rows=tuple(map(int, rows)), anchors=tuple(map(tuple, places.tolist())))
    done = guide(run, guidance, tmp_path / "new", stage=stage, num_steps=150, learning_rate=3e-3, progress=False)
    new = load(tmp_path / "new").at_stage(stage)
    for each, column in ((old, "before"), (new, "after")):
        codes = embed(each.given(rows), each.feed(rows)).loc
        assert done.anchors[column].to_numpy() == pytest.approx(np.linalg.norm(codes - places, axis=1), rel=1e-4)
    assert (done.anchors["after"] < 0.35).all()
    assert (done.anchors["before"] > 1).all()
    objective = new.experiment.objective
    assert objective.first_alone_steps == 0
    assert [len(getattr(objective, name).penalties) for name in (stage, {"first": "second"}.get(stage, "first"))] == [
        1,
        0,
    ]


def test_a_stage_of_a_model_with_one_is_refused_before_training(run, tmp_path):
    guidance = Guidance(rows=(3,), anchors=((0.0, 0.0),))
    with pytest.raises(InputError, match="the stage should be left out for a model of one stage, got first"):
        guide(load(run), guidance, tmp_path / "new", stage="first")
    assert not (tmp_path / "new").exists()


def test_schedules_do_not_begin_again(run, tmp_path):
    """An autoencoder's first steps, taken again, would undo the rate."""
    trained = load(run)
    trained = replace(trained, experiment=replace(trained.experiment, objective=ELBO(autoencoder_steps=1000)))
    guidance = Guidance(rows=(3,), anchors=((0.0, 0.0),))
    done = guide(trained, guidance, tmp_path / "new", num_steps=3, progress=False)
    assert done.run.experiment.objective == ELBO(penalties=(guidance,))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("image,z0\n1,2\n", "have the columns image, z0, z1, got a table without z1"),
        ("image,z0,z1\n", "have a row for each image, got .* without rows"),
        ("image,z0,z1\n1,2,x\n", "hold numbers in z0, z1, got others in row 1"),
        ("image,z0,z1,delta\n1,2,3,\n", "hold numbers in z0, z1, delta, got others in row 1"),
        ("image,z0,z1\n\u00b2,2,3\n", "got '\u00b2'"),
        ("image,z0,z1\na.png,2,3\n", "by its row number or by a path that is its own, got 'a.png'"),
        ("image,z0,z1\n1,2,3\n1,2,3\n", "rows should be different row numbers, got"),
        ("image,z0,z1,delta\n1,2,3,-1\n", "deltas.* should be positive and finite, got -1.0"),
    ],
)
def test_a_wrong_table_is_refused(run, tmp_path, text, sentence):
    path = tmp_path / "anchors.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_anchors(path, load(run))


def test_a_row_that_is_not_there_is_refused_by_training_too(tmp_path, capsys):
    experiment = digits()
    guidance = Guidance(rows=(1797,), anchors=((0.0,) * experiment.model.latent_dim,))
    write(replace(experiment, objective=ELBO(penalties=(guidance,))), tmp_path / "far.json")
    assert main(["train", str(tmp_path / "far.json"), "--out", str(tmp_path / "run")]) == 2
    assert "rows of images should be from 0 to 1796, got 1797." in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_row_that_is_not_there_leaves_no_run_behind(run, tmp_path, capsys):
    path = tmp_path / "anchors.csv"
    path.write_text("image,z0,z1\n9999,2,3\n")
    assert main(["guide", str(run), str(path), "--out", str(tmp_path / "new")]) == 2
    assert "anchors should be rows below 1797" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
