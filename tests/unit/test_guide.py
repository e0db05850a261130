"""Guidance: chosen images go where they are wanted, and what else moved is said."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from vaelab.cli import main
from vaelab.errors import InputError
from vaelab.experiment import read
from vaelab.guide import read_anchors
from vaelab.inference import embed
from vaelab.run import load

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


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("image,z0\n1,2\n", "with the columns image, z0, z1, got one without z1"),
        ("image,z0,z1\n", "got one without rows"),
        ("image,z0,z1\n1,2,x\n", "hold numbers in z0, z1, got others in line 2"),
        ("image,z0,z1\na.png,2,3\n", "by row number or by the path in their table, got 'a.png'"),
        ("image,z0,z1\n1,2,3\n1,2,3\n", "be different row numbers from 0"),
        ("image,z0,z1,delta\n1,2,3,-1\n", "guidance.deltas should be a positive number for each row"),
    ],
)
def test_a_wrong_table_is_refused(run, tmp_path, text, sentence):
    path = tmp_path / "anchors.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_anchors(path, load(run))


def test_a_row_that_is_not_there_leaves_no_run_behind(run, tmp_path, capsys):
    path = tmp_path / "anchors.csv"
    path.write_text("image,z0,z1\n9999,2,3\n")
    assert main(["guide", str(run), str(path), "--out", str(tmp_path / "new")]) == 2
    assert "anchors should be rows below 1797" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
