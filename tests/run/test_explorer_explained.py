"""What was explained, in the explorer: as `vaelab explain` wrote it, and as the model draws it."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from explorer_asks import array, ask, said
from vaelab.cli import main
from vaelab.errors import InputError
from vaelab.evaluation import load_classifier
from vaelab.explorer.explained import Explanations
from vaelab.explorer.view import open_view
from vaelab.inference import decode_mean
from vaelab.runs import load
from vaelab.runs.columns import keep_column
from vaelab.runs.explanations import read_meanings


@pytest.fixture(scope="module")
def run(explained):
    return explained.app.runs[0].view.run


@pytest.fixture(scope="module")
def kept(run):
    return run.folder / "explanations" / "bright-yes"


@pytest.fixture(scope="module")
def about(explained):
    (found,) = said(explained, "/run/0/explanations")
    return found


def test_it_says_what_was_explained_of_which_images_with_every_warning(about, kept, run):
    drawn, scores = np.load(kept / "series.npz"), pd.read_csv(kept / "scores.csv")
    table = load(run.folder).dataset.collection.table
    assert about["what"] == "bright = yes"
    assert [(each["at"], each["row"]) for each in about["images"]] == [(row, row) for row in drawn["rows"]]
    assert [each["known"] for each in about["images"]] == table["bright"].iloc[drawn["rows"]].tolist()
    assert about["warning"] == scores["warning"][0] != ""
    assert about["methods"] == [
        {"name": "latent_shift", "baseline": False},
        {"name": "random_direction", "baseline": True},
    ]
    assert set(about["saliencies"]) == {"difference", "gradient", "gradient_difference", "integrated_gradients"}
    assert not about["earlier"]
    (confounder,) = about["confounders"]
    assert confounder["column"] == "label"
    assert "label" in confounder["verdict"]


def test_series_are_what_the_model_draws_and_what_the_classifier_says_of_it(explained, about, kept, run):
    drawn, place = np.load(kept / "series.npz"), about["images"][1]["at"]
    images = array(explained, f"/run/0/series?name=bright-yes&of=latent_shift&at={place}")
    z = torch.from_numpy(drawn["latent_shift/codes"][1]).float()
    np.testing.assert_allclose(images, run.intensity.invert(decode_mean(run, z)), atol=1e-3)
    told = said(explained, f"/run/0/explained?name=bright-yes&at={place}")
    assert told["wanted"] == pytest.approx([0.125, 0.375, 0.625, 0.875])
    classifier = load_classifier(run.folder / "classifiers" / "bright.safetensors")
    with torch.no_grad():
        stored = run.feed([place]).numpy(force=True)
        first, *others = classifier(torch.from_numpy(np.concatenate([stored, run.intensity.apply(images)])).float())[
            :, 1
        ]
    assert told["said"] == pytest.approx(float(first), abs=1e-4)
    assert told["series"]["latent_shift"] == pytest.approx([float(each) for each in others], abs=1e-4)
    saliency = array(explained, f"/run/0/saliency?name=bright-yes&of=gradient&at={place}")
    np.testing.assert_allclose(saliency, drawn["saliency/gradient"][1].sum(0), rtol=1e-5)


def test_a_latents_meaning_is_that_of_the_page(explained, run):
    arrays = np.load(run.folder / "explanations" / "latents" / "meaning.npz")
    meant = {each["latent"]: each["meant"] for each in said(explained, "/run/0/about")["latents"]}
    assert {latent for latent, each in meant.items() if each} == {*arrays["latents"].tolist()}
    for i, latent in enumerate(arrays["latents"].tolist()):
        assert meant[latent]["says"] == arrays["says"][i]
        features, changes = arrays["features"].tolist(), arrays["changes"][i]
        largest = max(np.flatnonzero(arrays["shown"][i]), key=lambda j: abs(changes[j]), default=None)
        expected = "nothing" if largest is None else f"{features[largest]} {changes[largest]:+.1f}"
        assert meant[latent]["says"].startswith(expected.replace("-", "\N{MINUS SIGN}"))


ODD = [
    "name=bright-yes&of=nothing&at=0",
    "name=nothing&of=gradient&at=0",
    "name=..%2Fx&of=gradient&at=0",
    "at=0",
    "name=bright-yes",
]


@pytest.mark.parametrize("asked", ODD)
def test_what_was_not_explained_is_refused(explained, about, asked):
    place = about["images"][0]["at"]
    for name in ("series", "saliency", "explained"):
        status, _, words = ask(explained, f"/run/0/{name}?{asked}")
        assert status == 400
        assert b"Traceback" not in words
    away = next(place for place in range(5) if place not in [each["at"] for each in about["images"]])
    status, _, words = ask(explained, f"/run/0/series?name=bright-yes&of=latent_shift&at={away}")
    assert status == 400
    assert b"one of the 3 that were explained" in words
    assert ask(explained, f"/run/0/series?name=bright-yes&of=../said&at={place}")[0] == 400


def test_a_file_that_was_altered_is_said_and_the_rest_is_shown(explained, kept, run):
    for name, content in (("broken", b"PK\x03\x04no"), ("empty", b""), ("other", None)):
        folder = kept.with_name(name)
        folder.mkdir()
        if content is None:
            np.savez(folder / "series.npz", rows=np.array(["x"]), known=np.array([1]), what=np.zeros(3))
        else:
            (folder / "series.npz").write_bytes(content)
        found = {each["name"]: each for each in said(explained, "/run/0/explanations")}
        assert "should hold what was explained as it was written" in found[name]["refused"]
        assert found["bright-yes"]["what"] == "bright = yes"
        assert ask(explained, f"/run/0/explained?name={name}&at=0")[0] == 400
        shutil.rmtree(folder)
    meaning = run.folder / "explanations" / "latents" / "meaning.npz"
    before = meaning.read_bytes()
    meaning.write_bytes(before[:300])
    try:
        assert said(explained, "/run/0/about")["latents"][0]["meant"] is None
        with pytest.raises(InputError, match="as it was written"):
            read_meanings(run)
    finally:
        meaning.write_bytes(before)


def test_what_earlier_weights_meant_is_said_to_be_old(explained, kept, run):
    weights = sorted((run.folder / "checkpoints").glob("*.safetensors"))
    before = [path.read_bytes() for path in weights]
    for path in weights:
        path.write_bytes(path.read_bytes() + b" ")
    try:
        assert said(explained, "/run/0/explanations")[0]["earlier"]
        assert said(explained, "/run/0/about")["latents"][0]["meant"] is None
    finally:
        for path, content in zip(weights, before, strict=True):
            path.write_bytes(content)


def test_of_other_images_nothing_is_explained(explained, run):
    view = explained.app.runs[0].view
    other = Explanations(replace(view, question=None))
    assert other.known() == []
    assert other.meanings() == {}
    held_out = Explanations(open_view(run))
    rows = set(held_out.view.rows.tolist())
    assert [each["at"] is not None for each in held_out.known()[0]["images"]] == [
        each["row"] in rows for each in held_out.known()[0]["images"]
    ]


def test_a_column_of_a_selection_can_be_explained_and_its_name_is_not_given_twice(run, capsys):
    values, rows = pd.Series(["yes", "no"] * 10), run.splits.test[:20]
    keep_column(run.folder, "half", rows, values)
    try:
        assert main(["explain", str(run.folder), "--label", "half", "--to", "yes", "--quiet"]) == 2
        assert "vaelab explore RUN --on all" in capsys.readouterr().err
    finally:
        (run.folder / "columns" / "half.csv").unlink()
    column = run.folder / "columns" / "bright.csv"
    before = column.read_bytes()
    column.unlink()
    try:
        with pytest.raises(InputError, match=r"no result names yet, got 'bright', which classifiers.bright"):
            keep_column(run.folder, "bright", rows, values)
        assert main(["evaluate", str(run.folder), "--labels", "bright", "--metrics", "probe_accuracy", "--quiet"]) == 2
    finally:
        column.write_bytes(before)
    capsys.readouterr()
    assert main(["evaluate", str(run.folder), "--labels", "bright", "--metrics", "probe_accuracy", "--quiet"]) == 0
