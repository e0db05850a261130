"""A run's images are classified by a column of their table: no group on both sides, calibrated, judged, and kept."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from vaelab.cli import main
from vaelab.errors import InputError
from vaelab.evaluation import classifier as module
from vaelab.evaluation import load_classifier
from vaelab.metrics.calibration_error import calibration_error
from vaelab.presets import find
from vaelab.runs import train
from vaelab.runs.classify import classifier_path, classify, plain_name
from vaelab.runs.read import RunImages
from vaelab.runs.target import target_of


@pytest.fixture(scope="module", autouse=True)
def _few_steps():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FEWEST_STEPS", 60)
        patch.setattr(module, "_PASSES", 2)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    preset = find("digits")
    machine = replace(preset.machine, tune=False)
    quick = replace(preset, training=replace(preset.training, num_steps=2), machine=machine)
    done = train(quick, tmp_path_factory.mktemp("run") / "a", progress=False)
    table, images = done.dataset.collection.table, done.dataset.collection.images
    count, part = len(table), np.zeros(len(table), int)
    part[done.splits.validation], part[done.splits.test] = 1, 2
    table["brightness"] = images.mean((1, 2, 3)).astype(float)
    table["parity"] = np.where(table["label"] % 2, "odd", "even")
    table["gaps"] = np.where(np.arange(count) % 4, table["parity"], None)
    table["plate"] = [f"{'abc'[p]}{i % 5}" for i, p in enumerate(part)]
    mixed = np.where((part == 0) & (np.arange(count) % 2 == 0), "c1", table["plate"])
    table["mixed"] = np.where((part == 1) & (np.arange(count) % 2 == 0), "c2", mixed)
    table["batch"] = np.array(["a", "b", "c"])[part]
    table["one"] = "same"
    table["many"] = [f"k{i % 300}" for i in range(count)]
    table["dose"] = (table["label"] % 4) / 2
    table["late"] = np.where(part == 0, table["parity"], np.where(np.arange(count) % 3, table["parity"], "new"))
    table["constant"] = 2.5
    table["half"] = [f"x{i % 2}" for i in range(count)]
    table["empty"] = np.where(part == 0, None, "a")
    return done


@pytest.fixture(scope="module")
def parity(run):
    before = torch.get_rng_state()
    found = classify(run, "parity", group="plate")
    assert torch.equal(torch.get_rng_state(), before)
    return found


def test_it_tells_held_out_images_and_is_kept_with_what_it_says_of_each(run, parity):
    assert (parity.part, parity.counts) == ("test", tuple(len(rows) for rows in run.splits.named().values()))
    assert parity.notes == ()
    scores = {(score.metric, score.part): score for score in parity.scores}
    assert scores["classifier_accuracy", ""].value > 0.8
    assert {part for name, part in scores if name == "balanced_accuracy"} == {"", "even", "odd"}
    again = load_classifier(parity.path)
    assert again.facts == parity.predictor.facts
    assert again.facts.classes == ("even", "odd")
    assert (again.facts.group, again.facts.images) == ("plate", run.facts.content_hash)
    p = again(run.feed("test")).detach().numpy()
    np.testing.assert_allclose(p, parity.arrays["class_probabilities"], atol=1e-5)
    images = pd.read_csv(parity.kept["what it says of each image"])
    assert list(images["row"]) == run.splits.test.tolist()
    assert list(images["known"]) == list(run.dataset.collection.table["parity"].iloc[run.splits.test])
    right = (images["known"] == images["told"]).mean()
    assert right == pytest.approx(scores["classifier_accuracy", ""].value)
    np.testing.assert_allclose(images[["p_even", "p_odd"]].sum(axis=1), 1, atol=1e-5)
    kept = pd.read_csv(parity.kept["how good it is"])
    assert kept["value"].iloc[0] == pytest.approx(right)


def test_the_same_again_gives_the_same_and_another_seed_lies_beside_it(run, parity):
    data = parity.path.read_bytes()
    assert classify(run, "parity", group="plate").path.read_bytes() == data
    other = classify(run, "parity", group="plate", seed=1)
    assert other.path != parity.path
    assert other.path.read_bytes() != data
    assert parity.path.read_bytes() == data


def test_intervals_are_over_groups_and_the_temperature_is_undone_rightly(run, parity):
    assert len(np.unique(parity.arrays["groups"])) == 5
    again = load_classifier(parity.path)
    again.temperature.fill_(1.0)
    arrays = parity.arrays | {"class_probabilities": again(run.feed("test")).detach().numpy()}
    expected = calibration_error(arrays["class_probabilities"], arrays["known_classes"], arrays["groups"])[0]
    assert parity.uncalibrated.value == pytest.approx(expected.value, abs=1e-5)
    assert parity.uncalibrated.interval == pytest.approx(expected.interval, abs=1e-4)


def test_no_group_is_on_both_sides_and_what_is_left_out_is_said(run):
    target = target_of(run, "parity", "mixed")
    column, parts = run.dataset.collection.table["mixed"].to_numpy(), target.parts
    assert parts.judged.tolist() == run.splits.test.tolist()
    sides = [{*column[rows]} for rows in (parts.train, parts.validation, parts.judged)]
    assert not any(one & other for one, other in itertools.combinations(sides, 2))
    dropped = len(run.splits.train) - len(parts.train)
    assert dropped > 500
    assert target.notes == (
        f"{dropped:,} of {len(run.splits.train):,} training images are left out, as their mixed is in held-out images, "
        f"too; {len(parts.train):,} are left",
    )


def test_one_group_alone_has_no_interval_which_is_said(run):
    target = target_of(run, "parity", "batch")
    assert len(target.parts.train) == len(run.splits.train)
    assert target.notes == ("all test images are of one batch, so that there are no intervals",)


def test_a_number_is_predicted_in_its_unit(run):
    found = classify(run, "brightness")
    assert "predicted as a number" in found.notes[0]
    assert [score.metric for score in found.scores] == ["number_r2", "number_mae"]
    assert found.scores[0].value > 0.5
    assert found.uncalibrated is None
    images = pd.read_csv(found.kept["what it says of each image"])
    assert np.abs(images["known"] - images["told"]).mean() == pytest.approx(found.scores[1].value)
    np.testing.assert_allclose(
        load_classifier(found.path)(run.feed("test")).detach().numpy()[:, 0], images["told"], rtol=1e-4
    )


def test_what_a_column_is_is_said_where_it_is_not_a_matter_of_course(run):
    assert target_of(run, "label").classes == tuple("0123456789")
    assert target_of(run, "label").notes == ()
    assert target_of(run, "label:number").classes == ()
    doses = target_of(run, "dose")
    assert doses.classes == ("0", "0.5", "1", "1.5")
    assert "told apart as classes; --label dose:number predicts the number" in doses.notes[0]
    gaps = target_of(run, "gaps")
    assert gaps.classes == ("even", "odd")
    assert gaps.notes == (f"{(run.facts.num_images + 3) // 4:,} images without a value in 'gaps' are left out",)
    assert not {*np.flatnonzero(np.isnan(gaps.values))} & {*gaps.parts.train, *gaps.parts.judged}
    late = target_of(run, "late")
    unseen = int((late.values[late.parts.judged] == -1).sum())
    assert late.notes == (f"{unseen} test images are errors, as no training image is of their kind: 'new'",)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["one"], "--label should have 2 to 100 classes among the training images, got 'same' alone."),
        (["many"], "--label should have 2 to 100 classes among the training images, got 300. Take a coarser column."),
        (["brightness:category"], "Say brightness:number to predict it."),
        (["constant:number"], "--label should differ among the training images, got 2.5 for all 1,258."),
        (["parity:number"], "--label should be a column of numbers, got 'even' in 'parity'. Or say parity:category."),
        (["parti"], "did you mean parity?"),
        (["empty"], "--label should have a value for some training images, got none."),
        (["parity", "--group", "plat"], "--group should be a known name, got 'plat'."),
        (
            ["parity", "--group", "half"],
            "--group should leave training images whose half is in no held-out part, got none of 1,258. "
            "Train the run with --data.split.group half.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_classified_is_refused_in_a_sentence(run, flags, words, capsys, monkeypatch):
    monkeypatch.setattr("vaelab.runs.load", lambda *_: run)
    before = sorted((run.folder / "classifiers").glob("*"))
    assert main(["classify", str(run.folder), "--label", *flags, "--quiet"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert sorted((run.folder / "classifiers").glob("*")) == before


def test_a_run_without_test_images_is_judged_by_validation_images(run):
    splits = replace(run.splits, train=np.concatenate([run.splits.train, run.splits.test]), test=run.splits.test[:0])
    images = replace(run, images=_with(run, splits))
    target = target_of(images, "parity")
    assert target.parts.name == "validation"
    assert "it is judged by the validation images, as the run has no others" in target.notes
    none = replace(splits, train=np.arange(run.facts.num_images), validation=splits.test)
    with pytest.raises(InputError, match="the run should hold out images with a value in 'parity', got none"):
        target_of(replace(run, images=_with(run, none)), "parity")


def _with(run, splits):
    """The run's images, divided otherwise."""
    return RunImages.of(replace(run.dataset, splits=splits), run.experiment, run.facts, run.folder)


def test_the_command_prints_what_it_found_and_writes_a_page(run, capsys, monkeypatch):
    monkeypatch.setattr("vaelab.runs.load", lambda *_: run)
    expected = {
        "late": ("What it takes for what", "Class by class", "as no training image is of their kind"),
        "brightness": ("Predicted against known", "Mean absolute error"),
    }
    for label, words in expected.items():
        assert main(["classify", str(run.folder), "--label", label]) == 0
        out, err = capsys.readouterr()
        assert f"Note: {'' if label == 'late' else repr(label)}" in err
        for name in (f"{label}.html", f"{label}.safetensors", f"{label}.csv", f"{label}.images.csv"):
            assert (run.folder / "classifiers" / name).exists()
            assert str(run.folder / "classifiers" / name) in out
        page = (run.folder / "classifiers" / f"{label}.html").read_text()
        assert all(word in page for word in words)
        assert "<svg" in page


def test_names_of_files_are_sound_and_differ_where_columns_do(run):
    assert classifier_path(run, "moa:number", group="plate", seed=3).name == "moa-number-by-plate-seed-3.safetensors"
    names = ("a/b", "a:b", "../a b", "a b", "\u03ba", "", "x" * 300, "x" * 301, ".", "a.b")
    odd = [plain_name(name) for name in names]
    assert len({*odd}) == len(odd)
    assert all(name and len(name) < 100 and "/" not in name and "." not in name for name in odd)


def test_evaluate_says_of_what_it_cannot_measure_what_that_asks_for(run, capsys, monkeypatch):
    monkeypatch.setattr("vaelab.runs.load", lambda *_: run)
    flags = ["--num-images", "20", "--num-samples", "1", "--quiet", "--metrics", "mse", "calibration_error"]
    assert main(["evaluate", str(run.folder), *flags]) == 0
    said = "Not measured: calibration_error, which asks for class_probabilities, known_classes.\n"
    assert said in capsys.readouterr().out
