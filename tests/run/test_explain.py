"""`vaelab explain`: what is drawn, judged, kept and said, of a run with a classifier."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from report_runs import NETWORKS, Page, digits_run, hasty_classifiers, quick, words_drawn
from vaelab.cli import main
from vaelab.evaluation import load_classifier
from vaelab.inference import embed
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.presets import preset
from vaelab.report.explanation import write_explanation
from vaelab.runs import load, train
from vaelab.runs.explaining import explain_run
from vaelab.runs.explanations import read_meanings


@pytest.fixture(scope="module", autouse=True)
def hasty():
    with hasty_classifiers():
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return digits_run(tmp_path_factory.mktemp("explained"))


@pytest.fixture(scope="module")
def kept(run):
    flags = [
        "--label",
        "label",
        "--to",
        "8",
        "--num-images",
        "3",
        "--num-targets",
        "4",
        "--num-solutions",
        "2",
        "--quiet",
    ]
    assert main(["explain", str(run.folder), *flags]) == 0
    return run.folder / "explanations" / "label-8"


def test_series_are_in_the_units_of_the_files_and_are_what_the_classifier_was_asked_about(run, kept):
    drawn, opened = np.load(kept / "series.npz"), load(run.folder)
    np.testing.assert_allclose(drawn["images"], opened.dataset.collection.images[drawn["rows"]], atol=1e-4)
    classifier = load_classifier(run.folder / "classifiers" / "label.safetensors")
    column = classifier.facts.classes.index("8")
    for name in ("latent_shift", "random_direction"):
        images = opened.intensity.apply(drawn[f"{name}/images"])
        assert images.shape == (3, 4, 1, 8, 8)
        import torch

        with torch.no_grad():
            said = classifier(torch.from_numpy(images).flatten(0, 1).float())[:, column].view(3, 4)
        np.testing.assert_allclose(drawn[f"{name}/said"], said, atol=1e-4)
    assert drawn["targets"][0].tolist() == pytest.approx([0.125, 0.375, 0.625, 0.875])
    assert drawn["saliency/difference"].shape == (3, 1, 8, 8)


def test_a_poor_model_is_caught_everywhere(run, kept, capsys):
    """The run is hardly trained, so that its reconstructions are no digits."""
    scores = pd.read_csv(kept / "scores.csv")
    assert scores["warning"].str.contains("does not say the same of reconstructions").all()
    assert scores.loc[scores["method"] == "gate", "value"].min() < 0.85
    assert "does not say the same of reconstructions" in Page((kept / "page.html").read_text()).text
    flags = ["--label", "label", "--to", "3", "--rows", "5,9", "--num-targets", "2", "--methods", "linear-direction"]
    assert main(["explain", str(run.folder), *flags]) == 0
    said = capsys.readouterr()
    assert "Note: The classifier does not say the same of reconstructions as of images" in said.err
    assert "label = 3: 2 images" in said.out
    assert np.load(run.folder / "explanations" / "label-3" / "series.npz")["rows"].tolist() == [5, 9]


@pytest.mark.parametrize("name", ["exaggeration", "saliency", "deletion"])
def test_a_picture_of_a_poor_model_that_is_drawn_alone_carries_the_warning(run, kept, name, tmp_path, monkeypatch):
    said = words_drawn(monkeypatch)
    assert main(["draw", str(run.folder), name, "-o", str(tmp_path / "a.png"), "--quiet"]) == 0
    assert "does not say the same of reconstructions as of images" in " ".join(" ".join(said).split())


def test_every_method_stands_in_the_scores_with_every_measure(kept):
    scores = pd.read_csv(kept / "scores.csv")
    methods = {"latent_shift", "latent_optimization", "latent_optimization_2", "linear_direction", "random_direction"}
    saliencies = {"difference", "gradient", "gradient_difference", "integrated_gradients"}
    assert {*scores["method"]} == {"gate", *methods, *(f"saliency/{name}" for name in saliencies)}
    of = scores[scores["part"].isna()].groupby("method")["metric"].agg(set)
    assert len({frozenset(of[name]) for name in methods}) == 1
    assert of["latent_shift"] > {"consistency_error", "series_way_back", "series_sparsity", "latent_closeness"}


def test_each_latent_is_told_beside_a_training_with_another_seed(run, capsys):
    """The other training is the run itself under another seed: all that is shown comes again."""
    twin = run.folder.parent / "twin"
    shutil.copytree(run.folder, twin, ignore=shutil.ignore_patterns("explanations"))
    record = json.loads((twin / "experiment.json").read_text())
    (twin / "experiment.json").write_text(json.dumps(record | {"seed": 1}))
    flags = ["--latents", "--label", "label", "--num-images", "60"]
    assert main(["explain", str(run.folder), *flags, "--quiet"]) == 0
    kept, said = run.folder / "explanations" / "latents", capsys.readouterr().out
    table, page = pd.read_csv(kept / "meaning.csv"), Page((kept / "page.html").read_text())
    assert page.unclosed == []
    assert "beside it the same of the trainings with other seeds (1)" in page.text
    of_latents = table[table["direction"].str.fullmatch(r"z\d+")]
    assert (of_latents["seeds"] == 2).all()
    assert not of_latents["this_seed_alone"].any()
    assert of_latents.loc[of_latents["is_shown"], "seeds_that_show_it"].eq(2).all()
    assert {"axis 1", "axis 2", "axis 3"} < {*table["direction"]} > {f"label {digit}" for digit in range(10)}
    arrays = np.load(kept / "meaning.npz")
    assert arrays["pixel_changes"].shape == (len(arrays["directions"]), 1, 8, 8)
    names = arrays["directions"].tolist()
    assert {f"label = {digit}" for digit in range(10)} < {*arrays["known"].tolist()} > {"area", "intensity"}
    assert all(name in said for name in names)
    shutil.rmtree(twin)


def test_an_earlier_stage_is_explained_beside_the_last(tmp_path):
    base = preset("digits")
    model = VAEConfig(latent_dim=5, likelihood=GreyBernoulliLikelihood(), **NETWORKS)
    two = TwoStageConfig(first=model, second=replace(model, latent_dim=2))
    experiment = replace(base, model=two, objective=TwoStageObjective(first_alone_steps=20))
    run = train(quick(experiment, 40), tmp_path / "two", progress=False)
    shared = ["--stage", "first", "--quiet", "--label", "label"]
    flags = ["--to", "8", "--num-images", "3", "--num-targets", "2", "--methods", "random-direction"]
    assert main(["explain", str(run.folder), *shared, *flags]) == 0
    drawn = np.load(run.folder / "explanations" / "label-8-first" / "series.npz")
    np.testing.assert_allclose(drawn["codes"], embed(run.at_stage("first"), drawn["rows"]).loc, atol=1e-5)
    assert main(["explain", str(run.folder), "--latents", "--num-images", "10", *shared]) == 0
    arrays = np.load(run.folder / "explanations" / "latents-first" / "meaning.npz")
    assert arrays["vectors"].shape[1] == 5
    assert drawn["what"].item() == "label = 8, first stage"
    assert read_meanings(run) is None
    told = read_meanings(run, "first")
    assert told is not None
    assert {*told} == {*arrays["latents"].tolist()}
    assert [run.earlier_stage(stage) for stage in ("first", "second", None)] == ["first", "", ""]


def test_several_solutions_and_what_is_out_of_reach_are_shown(run, kept):
    drawn, text = np.load(kept / "series.npz"), Page((kept / "page.html").read_text()).text
    assert "latent optimization 2" in text
    assert not np.allclose(drawn["latent_optimization/codes"], drawn["latent_optimization_2/codes"], atol=0.01)
    assert np.isin(drawn["nearest"], run.splits.train).all()
    best = drawn["best"].item()
    missed = (np.abs(drawn[f"{best}/said"] - drawn["targets"]) > 0.1 * np.ptp(drawn["targets"])).sum()
    assert (f"Of 12 steps of {best.replace('_', '-')} {missed} are out of reach" in text) == bool(missed)


def test_of_an_image_whose_class_is_not_known_no_class_is_named(run, kept, tmp_path):
    opened = load(shutil.copytree(run.folder, tmp_path / "run"))
    table, rows = opened.dataset.collection.table, opened.splits.test[:2]
    table["label"] = table["label"].astype(object)
    table.loc[rows[0], "label"] = None
    found = explain_run(opened, "label", to="8", rows=rows, methods=["linear-direction"], num_targets=3)
    assert found.known == ("", str(table["label"][rows[1]]))
    page = Page(write_explanation(found).read_text()).text
    assert f"#{rows[0]}, label not known" in page
    assert "None" not in page


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ([], "--label should name the column that is explained, got none. Or say --latents."),
        (["--latents", "--to", "8"], "--to should be left out with --latents, got 8"),
        (["--latents", "--num-targets", "4"], "--num-targets should be left out with --latents, got 4"),
        (["--latents", "--stage", "first"], "the stage should be left out for a model of one stage, got first"),
        (["--latents", "--num-images", "5"], "the held-out images should be at least 8 to move latents of, got 5"),
        (["--label", "label"], "--to should name the class that is explained, got none. Known: 0, 1, 2, 3,"),
        (["--label", "label", "--to", "eight"], "--to should be a known name, got 'eight'"),
        (["--label", "digit", "--to", "8"], "--label should be a known name, got 'digit'"),
        (["--label", "label", "--to", "8", "--methods", "magic"], "--methods should be a known name, got 'magic'"),
        (["--label", "label", "--to", "8", "--num-targets", "1"], "--num-targets should be at least 2, got 1"),
        (["--label", "label", "--to", "8", "--rows", "9999"], "--rows should be rising, from 0 to 1,796"),
        (["--label", "label", "--to", "8", "--classifier", "no.safetensors"], "no.safetensors"),
        (["--label", "label", "--to", "8", "--methods", "class-exaggeration"], "the model should have conditions"),
    ],
)
def test_what_cannot_be_explained_is_said_in_a_sentence(run, kept, flags, sentence, capsys):
    assert main(["explain", str(run.folder), *flags]) == 2
    assert sentence in capsys.readouterr().err
