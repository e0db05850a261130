"""A run's folder: what is in it, what is refused, and that a refusal leaves nothing behind."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import vaelab
from vaelab import presets
from vaelab.data import Data, Split
from vaelab.data.sources.npz import NpzSource
from vaelab.errors import InputError
from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.models import VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.runs import load, resume, train
from vaelab.training import Machine, Training, Watching


@pytest.fixture
def images(tmp_path):
    """A file of 60 small images with a weight each."""
    rng = np.random.default_rng(0)
    path = tmp_path / "images.npz"
    np.savez(
        path,
        images=rng.integers(0, 256, (60, 8, 8), dtype=np.uint8),
        double=np.full(60, 2.0),
        name=np.array(["x"] * 60),
    )
    return path


@pytest.fixture
def experiment(images):
    return replace(
        presets.digits(),
        data=Data(source=NpzSource(path=str(images)), split=Split(validation=0.2, test=0.2)),
        model=VAEConfig(
            latent_dim=2,
            encoder=MLPEncoder(hidden=(8,)),
            decoder=MLPDecoder(hidden=(8,)),
            likelihood=ContinuousBernoulliLikelihood(),
        ),
        training=Training(batch_size=8, num_steps=6),
        machine=Machine(tune=False, threads=1),
        watching=Watching(log_every=2, snapshot_every=4),
    )


def test_a_run_is_read_back_as_it_was_trained(experiment, tmp_path):
    run = train(experiment, tmp_path / "run", progress=False)
    again = load(tmp_path / "run")
    assert again.experiment == experiment
    pairs = zip(run.model.state_dict().values(), again.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert sorted(np.concatenate([again.splits.train, again.splits.validation, again.splits.test])) == list(range(60))
    assert list(again.metrics()["split"].unique()) == ["train", "validation"]
    assert {"step", "epoch", "loss", "elbo", "distortion", "rate", "images_per_second"} <= set(again.metrics())
    assert again.feed(np.arange(3)).shape == (3, 1, 8, 8)


def test_a_batch_of_more_images_than_there_are_counts_those_that_there_are(experiment, tmp_path):
    training = replace(experiment.training, batch_size=10**25, num_steps=4)
    log = train(replace(experiment, training=training), tmp_path / "run", progress=False).metrics()
    trained = log[log["split"] == "train"]
    images = (trained["images_per_second"] * trained["seconds"].diff().fillna(trained["seconds"])).sum()
    assert images == pytest.approx(4 * 36, rel=0.3)


def test_snapshots_show_images_reconstructions_and_samples(experiment, tmp_path):
    run = train(experiment, tmp_path / "run", progress=False)
    pictures = sorted((run.folder / "snapshots").iterdir())
    assert [path.stem for path in pictures] == ["00000004", "00000006"]
    with Image.open(pictures[0]) as picture:
        shown = np.asarray(picture.convert("L"))
    assert shown.shape == (6 * 8 + 5 * 2, 8 * 8 + 7 * 2)
    first = run.feed(run.splits.validation[:1])[0, 0].numpy()
    np.testing.assert_allclose(shown[:8, :8] / 255, first, atol=1 / 255)


def test_snapshots_do_not_change_the_numbers(experiment, tmp_path):
    with_pictures = train(experiment, tmp_path / "with", progress=False)
    without = train(replace(experiment, watching=Watching(log_every=2)), tmp_path / "without", progress=False)
    pairs = zip(with_pictures.model.state_dict().values(), without.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_tensorboard_events_hold_the_terms(experiment, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    watching = replace(experiment.watching, tensorboard=True)
    run = train(replace(experiment, watching=watching), tmp_path / "run", progress=False)
    events = accumulator.EventAccumulator(str(run.folder / "events"))
    events.Reload()
    metrics = run.metrics().query("split == 'train'")
    found = {event.step: event.value for event in events.Scalars("train/rate")}
    assert found == pytest.approx(dict(zip(metrics["step"], metrics["rate"], strict=True)), rel=1e-5)


def test_images_are_weighted_by_a_column(experiment, tmp_path):
    """The file's column `double` says 2 everywhere, so the loss is twice the objective."""
    weighted = replace(experiment, training=replace(experiment.training, weight_column="double"))
    metrics = train(weighted, tmp_path / "run", progress=False).metrics()
    np.testing.assert_allclose(metrics["loss"], 2 * (metrics["distortion"] + metrics["rate"]), rtol=1e-4, atol=1e-4)


def replaced(experiment, **training):
    return replace(experiment, training=replace(experiment.training, **training))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda e: replaced(e, weight_column="wieght"),
            "training.weight_column should be a known name, got 'wieght'. Known: double, name",
        ),
        (lambda e: replaced(e, weight_column="name"), "training.weight_column should hold numbers of 0 or more"),
        (lambda e: replace(e, model=replace(e.model, likelihood=BernoulliLikelihood())), "images should be 0 or 1"),
        (lambda e: replace(e, machine=Machine(device="cuda")), "machine.device should be one that is there, got cuda."),
        (
            lambda e: replace(e, data=replace(e.data, source=NpzSource(path="nowhere.npz"))),
            "data.source.path should be a file, got 'nowhere.npz'",
        ),
    ],
)
def test_a_refusal_leaves_no_folder(change, sentence, experiment, tmp_path):
    if torch.cuda.is_available() and "cuda" in sentence:
        pytest.skip("there is a GPU")
    with pytest.raises(InputError) as refusal:
        train(change(experiment), tmp_path / "run", progress=False)
    assert sentence in str(refusal.value)
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_a_run_is_not_trained_over(experiment, tmp_path):
    train(experiment, tmp_path / "run", progress=False)
    with pytest.raises(InputError, match="should be a new folder, got one that holds a run"):
        train(experiment, tmp_path / "run", progress=False)


def test_what_is_not_a_run_is_refused(experiment, tmp_path):
    for read in (load, resume):
        with pytest.raises(InputError, match="should be the folder of a run"):
            read(tmp_path / "nowhere")
    run = train(experiment, tmp_path / "run", progress=False)
    for path in (run.folder / "checkpoints").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"should hold a checkpoint, got none\. Go on with: vaelab resume"):
        load(run.folder)
    (run.folder / "data.json").write_text("[]")
    with pytest.raises(InputError, match=r"data\.json should be as the run wrote it"):
        load(run.folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"image_shape": [1, 60_000, 60_000]}, "be those of|describe the model of .* got a far larger one"),
        ({"image_shape": [1, 8]}, "image_shape in .*data.json should be a list of 3"),
        ({"channels": []}, "channels, lo and hi in .* should be 1 each, got 0, 1 and 1"),
        ({"intensity": {"lo": [0.0], "hi": [1e300]}}, r"intensity.hi\[0\] in .* should be finite"),
        ({"intensity": {"lo": [9.0], "hi": [3.0]}}, "intensity in .* should rise from lo to hi within"),
        ({"dtype": "words"}, "dtype in .* should be the type of a pixel, got 'words'"),
        ({"num_images": "many"}, "num_images in .* should be a whole number"),
    ],
)
def test_altered_facts_are_refused(change, sentence, experiment, tmp_path):
    run = train(experiment, tmp_path / "run", progress=False)
    path = run.folder / "data.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=sentence):
        load(run.folder)


@pytest.mark.parametrize("text", ["[" * 100_000, "", "{", '"text"', "null", "{}"])
@pytest.mark.parametrize("name", ["experiment.json", "data.json", "environment.json"])
def test_a_broken_file_of_a_run_is_one_sentence(name, text, experiment, tmp_path):
    run = train(experiment, tmp_path / "run", progress=False)
    (run.folder / name).write_text(text)
    with pytest.raises(InputError) as refused:
        resume(run.folder, progress=False)
    assert "\n" not in str(refused.value)


def test_altered_splits_and_logs_are_refused(experiment, tmp_path):
    run = train(experiment, tmp_path / "run", progress=False)
    (run.folder / "metrics.csv").write_text("step,split\n1,train\nx,train\n")
    with pytest.raises(InputError, match=r"hold a number in each cell but .*, got others, as in 'step'"):
        run.metrics()
    (run.folder / "metrics.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"be the metrics\.csv of a run"):
        run.metrics()
    parts = dict(run.splits.named())
    for altered in (
        {**parts, "test": parts["test"] + 1000},
        {**parts, "train": parts["train"][1:]},
        {"train": parts["train"]},
    ):
        np.savez(run.folder / "splits.npz", **altered)
        with pytest.raises(InputError, match=r"splits\.npz should"):
            _ = load(run.folder).splits
    (run.folder / "splits.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"splits\.npz should be the splits\.npz of a run"):
        _ = load(run.folder).splits


def test_images_that_changed_since_are_refused(experiment, images, tmp_path):
    run = train(experiment, tmp_path / "run", progress=False)
    np.savez(images, images=np.zeros((60, 8, 8), np.uint8), double=np.ones(60), name=np.array(["x"] * 60))
    with pytest.raises(InputError, match="the images should be those of the run"):
        _ = load(run.folder).dataset


def test_public_names_are_there_and_nothing_else():
    assert all(getattr(vaelab, name) is not None for name in vaelab.__all__)
    assert set(dir(vaelab)) == {"__version__", *vaelab.__all__}
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        _ = vaelab.tarin


def test_the_environment_says_where_and_how(experiment, tmp_path):
    run = train(experiment, tmp_path / "run", progress=False)
    environment = json.loads((run.folder / "environment.json").read_text())
    assert environment["versions"]["torch"] == torch.__version__
    assert environment["choices"]["threads"] == 1
    assert pd.Timestamp(environment["began"]).tzinfo is not None


def test_images_that_moved_are_pointed_to(experiment, images, tmp_path):
    run = train(experiment, tmp_path / "run", progress=False)
    moved = images.rename(tmp_path / "moved.npz")
    with pytest.raises(InputError) as refusal:
        _ = load(run.folder).dataset
    assert str(images) in str(refusal.value)
    assert "--images PATH" in str(refusal.value)
    again = load(run.folder, images=moved)
    assert torch.equal(again.feed(np.arange(5)), run.feed(np.arange(5)))
    in_memory = load(run.folder, images=run.dataset.collection)
    assert in_memory.dataset.collection is run.dataset.collection


def test_images_are_loaded_once_for_all_views_of_a_run(experiment, tmp_path, monkeypatch):
    loads = []
    original = NpzSource.load
    monkeypatch.setattr(NpzSource, "load", lambda self, **o: loads.append(1) or original(self, **o))
    run = train(experiment, tmp_path / "run", progress=False)
    _ = run.feed, run.at_stage(None).dataset, replace(run, model=run.model).dataset
    assert len(loads) == 1
    again = load(run.folder)
    _ = again.feed, replace(again, model=again.model).feed
    assert len(loads) == 2


def test_reading_a_run_leaves_random_numbers_alone(experiment, tmp_path):
    train(experiment, tmp_path / "run", progress=False)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load(tmp_path / "run")
    assert torch.equal(torch.rand(3), expected)


def test_the_hash_is_of_settings_and_images_and_of_no_place(experiment, images, tmp_path):
    run = train(experiment, tmp_path / "run", progress=False)
    moved = images.rename(tmp_path / "moved.npz")
    elsewhere = replace(experiment, name="other", data=replace(experiment.data, source=NpzSource(path=str(moved))))
    assert train(elsewhere, tmp_path / "elsewhere", progress=False).hash == run.hash
    np.savez(moved, images=200 * np.eye(8, dtype=np.uint8)[None].repeat(60, 0), name=np.array(["x"] * 60))
    assert train(elsewhere, tmp_path / "others", progress=False).hash != run.hash
