"""A run in Python: it goes wherever a model and its images go, and says what it is."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import vaelab
from vaelab.cli._notes import say_collapse
from vaelab.errors import InputError
from vaelab.evaluation import Measured, Score
from vaelab.inference.batches import model_of
from vaelab.presets import digits
from vaelab.runs import is_finished


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    experiment = digits()
    experiment = replace(
        experiment,
        training=replace(experiment.training, num_steps=20),
        machine=replace(experiment.machine, tune=False, threads=1),
    )
    return vaelab.train(experiment, tmp_path_factory.mktemp("runs") / "digits", progress=False)


def test_a_run_stands_for_its_model_and_its_images(run):
    everything = vaelab.embed(run)
    assert len(everything) == run.facts.num_images
    test = vaelab.embed(run.model, run.feed.batches(run.splits.test))
    for rows in ("test", "held_out", run.splits.test, run.splits.test.tolist()):
        np.testing.assert_allclose(vaelab.embed(run, rows).loc, test.loc, atol=1e-6)
    threes = run.dataset.collection.table["label"] == 3
    np.testing.assert_allclose(vaelab.embed(run, threes).loc, everything.loc[threes.to_numpy()], atol=1e-5)
    measured = vaelab.evaluate(run, num_samples=3)
    direct = vaelab.evaluate(run.model, run.feed.batches("test"), num_samples=3)
    assert measured.score("elbo") == direct.score("elbo")
    assert vaelab.reconstruct(run, slice(0, 4)).shape == (4, 1, 8, 8)
    assert vaelab.sample(run, 3).shape == (3, 1, 8, 8)
    assert vaelab.traverse(run, "validation", num_steps=3).images.shape == (4, 3, 1, 8, 8)
    assert vaelab.interpolate(run, run.feed([0]), run.feed([1]), 4).images.shape == (1, 4, 1, 8, 8)
    assert vaelab.decode_mean(run, torch.zeros(2, 4)).shape == (2, 1, 8, 8)


def test_arrays_are_pixels_as_stored_and_tensors_are_as_the_model_takes_them(run):
    stored = np.asarray(run.dataset.collection.images[:5])
    expected = vaelab.embed(run, slice(0, 5)).loc
    np.testing.assert_allclose(vaelab.embed(run, stored).loc, expected, atol=1e-6)
    np.testing.assert_allclose(vaelab.embed(run, run.feed(slice(0, 5))).loc, expected, atol=1e-6)
    np.testing.assert_allclose(vaelab.embed(run.model, run.feed(slice(0, 5)).numpy()).loc, expected, atol=1e-6)
    np.testing.assert_allclose(vaelab.embed(run.model, run.feed(slice(0, 5)).double()).loc, expected, atol=1e-6)
    with pytest.raises(InputError, match="images should be uint8, as the run's were stored, got float32"):
        vaelab.embed(run, stored.astype(np.float32))
    with pytest.raises(InputError, match="images should be floats in"):
        vaelab.embed(run.model, stored)


def test_what_is_neither_model_nor_run_is_refused(run):
    with pytest.raises(InputError, match=r"the model should be a model or a run, got str"):
        model_of.__wrapped__(str(run.folder))
    with pytest.raises(InputError, match=r"images should be given with a model, got none"):
        vaelab.embed(run.model)
    with pytest.raises(InputError, match=r"the run should be of a model under conditions"):
        run.under({"label": "3"})
    with pytest.raises(InputError, match=r"the model should take conditions"):
        vaelab.swap_condition(run.model, run.model, run.feed("test"))


def test_a_preset_is_trained_by_its_name(tmp_path, monkeypatch, run):
    monkeypatch.setattr("vaelab.runs.make.find", lambda name: {"digits": run.experiment}[name])
    assert vaelab.train("digits", tmp_path / "run", progress=False).experiment == run.experiment
    monkeypatch.undo()
    with pytest.raises(InputError, match="did you mean digits"):
        vaelab.train("digts")


def test_it_says_what_it_is_in_a_line(run):
    assert repr(run).endswith("4 latents, images of 1 x 8 x 8 (1,258 train, 180 validation, 359 test)>")
    assert repr(vaelab.embed(run)) == "<Embedding: 1,797 images, 4 latents>"
    assert repr(vaelab.evaluate(run, metrics=["mse"])) == "<Measured: 1 scores of 359 images>"
    for shown in (run, vaelab.embed(run, "test"), vaelab.evaluate(run, metrics=["mse"])):
        assert len(shown._repr_html_()) < 3000


def last(run):
    """The tensors of the last checkpoint: weights and optimiser."""
    tensors = load_file(run.folder / "checkpoints" / "last.safetensors")
    return {name: value for name, value in tensors.items() if name.startswith(("model.", "optimizer."))}


def test_a_finished_run_is_trained_longer_as_if_it_had_been_asked_for_at_first(tmp_path, run):
    constant = replace(run.experiment.training, schedule="constant")
    asked = replace(run.experiment, training=constant)
    longer = replace(asked, training=replace(constant, num_steps=35))
    whole = vaelab.train(longer, tmp_path / "whole", progress=False)
    vaelab.train(asked, tmp_path / "run", progress=False)
    assert is_finished(vaelab.load(tmp_path / "run"))
    done = vaelab.resume(tmp_path / "run", training=longer.training, progress=False)
    assert done.experiment == longer == vaelab.load(tmp_path / "run").experiment
    for name, weights in last(whole).items():
        assert torch.equal(weights, last(done)[name]), name


def test_a_run_that_goes_on_changes_nothing_but_its_length(run):
    for change, sentence in (
        ({"batch_size": 3}, "training.batch_size should stay 64 when a run goes on, got 3"),
        ({"num_epochs": 3.0}, "training.num_epochs should stay [0-9]+, got 3. The run's length"),
    ):
        training = replace(run.experiment.training, **change)
        with pytest.raises(InputError, match=sentence):
            vaelab.resume(run.folder, training=training, progress=False)


def test_the_folder_of_several_runs_names_them(run):
    with pytest.raises(InputError, match=rf"got a folder of runs \(1\). Name one of them: {run.folder}"):
        vaelab.load(run.folder.parent)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda value: value.half(), "hold the weights of this model, got a difference at .*float"),
        (lambda value: value[:1], "hold the weights of this model, got a difference at "),
        (lambda value: value * float("nan"), "hold finite weights, got others in "),
    ],
    ids=["type", "shape", "not finite"],
)
def test_an_altered_checkpoint_is_refused(change, sentence, tmp_path, run):
    """Also where the digest, by which any change is seen, was taken out."""
    shutil.copytree(run.folder, tmp_path / "run")
    for digest in (False, True):
        for path in (run.folder / "checkpoints").iterdir():
            with safe_open(path, "pt") as file:
                metadata = file.metadata()
            tensors = load_file(path)
            name = next(name for name, value in tensors.items() if name.startswith("model.") and value.ndim == 2)
            altered = tensors | {name: change(tensors[name]).contiguous()}
            numbers = json.loads(metadata["vaelab"])
            kept = numbers if digest else {name: value for name, value in numbers.items() if name != "sha256"}
            save_file(altered, tmp_path / "run" / "checkpoints" / path.name, {"vaelab": json.dumps(kept)})
        with pytest.raises(InputError, match="hold what was saved, got other numbers" if digest else sentence):
            vaelab.load(tmp_path / "run")


def test_a_run_stopped_before_its_first_line_is_measured_and_reported_all_the_same(tmp_path, run, capsys):
    shutil.copytree(run.folder, tmp_path / "run")
    log = tmp_path / "run" / "metrics.csv"
    log.write_text("")
    assert vaelab.load(tmp_path / "run").metrics().empty
    log.unlink()
    bare = vaelab.load(tmp_path / "run")
    assert bare.metrics().empty
    nothing = Measured(scores=(Score(metric="rate", value=0.0, unit="nats", count=9),), per_image=bare.metrics(),
                       rows=np.arange(9), arrays={})  # fmt: skip
    assert nothing.is_collapsed
    say_collapse(nothing, bare)
    assert not capsys.readouterr().err, "how long it was trained is not known"
    assert vaelab.write_report(bare, num_images=20, num_samples=2).exists()
