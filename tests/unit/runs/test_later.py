"""Images that come later, some of a source's images, and codes that are kept while a model is trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from report_runs import NASTY, NETWORKS, Page, quick
from vaelab.data import Data, ImageCollection, Split
from vaelab.data.sources.npz import NpzSource
from vaelab.errors import InputError
from vaelab.evaluation.drift import drift, kept_in_the_end, settled_step
from vaelab.experiment import Experiment
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.models import VAEConfig
from vaelab.objectives.elbo import ELBO
from vaelab.presets import preset
from vaelab.report import Look
from vaelab.report.comparison import render
from vaelab.report.page import parts
from vaelab.runs import load, resume, train
from vaelab.runs.codes import MOST_IMAGES, read_codes
from vaelab.runs.compare import compare
from vaelab.runs.drifts import drifts
from vaelab.training import Batches
from vaelab.training.checkpoint import read_numbers
from vaelab.training.fit import fit

STEPS, HALF, KINDS = 40, 20, np.array(["a", "b", NASTY, "d"])
LATER = (f"label={NASTY}",)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Runs of images of four kinds, the fourth of which is left out."""
    place, random = tmp_path_factory.mktemp("later"), np.random.default_rng(0)
    kinds = np.arange(240) % 4
    images = random.integers(0, 60, (240, 1, 8, 8), np.uint8)
    for image, kind in zip(images, kinds, strict=True):
        image[:, 2 * kind : 2 * kind + 2] += 150
    np.savez(place / "images.npz", images=images, label=KINDS[kinds], number=kinds.astype(float))
    for name, more in {
        "new": {"later": LATER, "later_step": HALF}, "never": {"later": LATER}, "all": {},
    }.items():  # fmt: skip
        train(experiment_of(place, **more), place / name, progress=False)
    return place


def experiment_of(place, only=("label=a", "label=b", *LATER), codes_every=8, **training):
    data = Data(
        source=NpzSource(path=str(place / "images.npz"), layout="channels_first"),
        split=Split(validation=30, test=60),
        only=only,
    )
    model = VAEConfig(latent_dim=3, likelihood=GreyBernoulliLikelihood(), **NETWORKS)
    whole = Experiment(
        name="later", data=data, model=model, objective=ELBO(), training=replace(preset("digits").training, **training)
    )
    whole = quick(whole, STEPS)
    training = replace(whole.training, batch_size=16, validate_every=5, patience=None, schedule="constant")
    return replace(whole, training=training, watching=replace(whole.watching, codes_every=codes_every))


def test_only_some_of_a_sources_images_are_there_and_found_again(place):
    run = load(place / "new")
    assert set(run.dataset.collection.table["label"]) == {"a", "b", NASTY}
    assert run.facts.num_images == 180 == sum(map(len, run.splits.named().values()))
    assert load(place / "new", images=run.dataset.collection).dataset.content_hash == run.facts.content_hash
    assert load(place / "new", images=place / "images.npz").dataset.content_hash == run.facts.content_hash
    both = Data(source=run.experiment.data.source, only=("label=a", "label=b", "number=1"))
    assert both.chosen(both.source.load()).table["number"].tolist() == [1.0] * 60


def test_before_its_step_no_image_of_the_new_class_is_trained_on(place, monkeypatch):
    seen = []
    given = Batches.conditions_of
    monkeypatch.setattr(Batches, "conditions_of", lambda self, rows: (seen.append(rows), given(self, rows))[1])
    run = train(experiment_of(place, later=LATER, later_step=HALF), place / "seen", progress=False)
    labels = run.dataset.collection.table["label"].to_numpy()
    batches = [rows for rows in seen if len(rows) == 16 and set(rows) <= set(run.splits.train)][-STEPS:]
    new = [bool((labels[rows] == NASTY).any()) for rows in batches]
    assert not any(new[:HALF])
    assert all(new[HALF:])
    times = np.bincount(np.concatenate(batches[:HALF]), minlength=180)[run.splits.train]
    assert set(times[labels[run.splits.train] != NASTY]) <= {*range(4, 9)}  # in each of 4 passes, 80 of 60 images


def test_settings_that_are_not_used_leave_numbers_and_hash_alone(place):
    plain, hashed = experiment_of(place, only=()), preset("digits").hash
    assert hashed == "e9882f90f3259243a71b377f7237703c04c80e1c128de31e5d93e311732695ab"  # of before there were such
    assert {plain.hash, experiment_of(place).hash, experiment_of(place, later=LATER).hash}.__len__() == 3
    assert experiment_of(place, only=(), codes_every=None).hash == plain.hash
    watched = load(place / "all")
    alone = train(experiment_of(place, codes_every=None), place / "alone", progress=False)
    for name, weights in watched.model.state_dict().items():
        assert torch.equal(weights, alone.model.state_dict()[name])


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_to_the_same_numbers(place):
    short = train(
        replace(experiment_of(place, later=LATER, later_step=HALF), name="short"), place / "short", progress=False
    )
    longer = replace(short.experiment.training, num_steps=50)
    one = resume(place / "short", training=longer, progress=False)
    whole = experiment_of(place, later=LATER, later_step=HALF)
    other = train(replace(whole, training=longer), place / "whole", progress=False)
    for name, weights in one.model.state_dict().items():
        assert torch.equal(weights, other.model.state_dict()[name])
    ours, theirs = read_codes(one), read_codes(other)
    assert ours.steps.tolist() == [8, 16, 20, 24, 32, 40, 48, 50] == theirs.steps.tolist()
    np.testing.assert_array_equal(ours.loc, theirs.loc)


def test_the_best_weights_are_of_after_the_new_class_came(place):
    assert read_numbers(place / "new" / "checkpoints" / "last.safetensors")["best_step"] >= HALF


def test_codes_are_those_of_the_held_out_images_at_the_end(place):
    run = load(place / "never")
    series = read_codes(run)
    assert series.steps.tolist() == [8, 16, 24, 32, 40]
    assert series.rows.tolist() == run.splits.test.tolist()
    assert len(series.rows) <= MOST_IMAGES


def test_a_new_class_moves_the_others_and_it_is_said(place):
    run = load(place / "new")
    look = Look(run, num_samples=2, num_images=40)
    part = parts()["evolution"]
    arrays = part.arrays(look)
    series = read_codes(run)
    assert arrays["steps"].tolist() == [8, 16, 20, 24, 32, 40]
    assert arrays["since"] == 2
    assert arrays["left"][2] == pytest.approx(0, abs=1e-9) == arrays["kl"][2]
    assert arrays["kl"][-1] > 0
    old = run.dataset.collection.table["label"].iloc[series.rows].to_numpy() != NASTY
    np.testing.assert_array_equal(arrays["later"], ~old)
    assert arrays["kl"][-1] == pytest.approx(drift(series.loc[:, old], series.scale[:, old], 2)["kl"][-1])
    assert arrays["points"].shape == (6, 60, 2)
    page = part.html(look, arrays)
    assert Page(page).unclosed == []
    assert NASTY not in page
    assert "Since step 20, " in Page(page).text


@pytest.mark.slow
def test_a_comparison_sets_it_against_what_training_does_anyway(place):
    comparison = compare([load(place / name) for name in ("all", "new", "never")], num_samples=2, metrics=["mse"])
    assert [each.entry for each in comparison.drifts] == ["all", "new", "never"]
    assert {each.since for each in comparison.drifts} == {16, 20}
    table = comparison.table()
    assert (table["metric"] == "drift_left").sum() == 3
    page = render(comparison)
    assert "What did the new label do?" in page
    assert NASTY not in page
    assert not [*drifts([each for each in comparison.entries if each.name != "new"])]


def test_drift_is_torchs_kl_and_nothing_for_codes_that_were_only_turned():
    random = np.random.default_rng(0)
    loc, scale = random.normal(size=(3, 30, 4)), random.uniform(0.1, 2, (3, 30, 4))
    now, then = (Normal(*map(torch.from_numpy, (loc[i], scale[i]))) for i in (2, 1))
    found = drift(loc, scale, 1)
    assert found["kl"][2] == pytest.approx(kl_divergence(now, then).sum(1).mean().item())
    assert found["kl"][1] == 0
    loc[2] = -loc[1][:, [1, 0, 3, 2]]
    assert drift(loc, scale, 1)["left"][2] == pytest.approx(0, abs=1e-12)
    with pytest.raises(InputError, match="loc and scale should be of one shape"):
        drift(loc, scale[:2], 1)


def test_settled_is_from_where_it_stays():
    steps = np.arange(5)
    assert settled_step(steps, np.array([0.9, 0.6, 0.7, 0.8, 1.0])) == 2
    assert settled_step(steps, np.array([0.9, 0.8, 0.7, 0.8, 1.0])) == 0
    assert settled_step(steps, np.array([0.9, 0.8, 0.7, 0.6, 1.0])) is None
    assert settled_step(steps, np.full(5, np.nan)) is None
    same = np.random.default_rng(0).normal(size=(1, 40, 2))
    assert kept_in_the_end(np.concatenate([2 * same, same])).tolist() == [1, 1]
    assert np.isnan(kept_in_the_end(np.ones((2, 5, 2)))).all()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"later": ("label",)}, "training.later should be values of columns, such as label=8, got 'label'"),
        ({"later": ("lable=a",)}, "training.later.*did you mean label"),
        ({"later": ("label=d",)}, "training.later should be values that some image has, got 'label=d'. There are "),
        ({"later": ("label=a", "label=b", *LATER)}, "training.later should be some of the training images, got all"),
        ({"later": LATER, "later_step": STEPS}, "training.later_step should be below the 40 steps of the training"),
        ({"only": ("label=nobody",)}, "data.only should be values that some image has, got 'label=nobody'"),
    ],
)
def test_what_cannot_be_is_refused(place, tmp_path, settings, said):
    with pytest.raises(InputError, match=said):
        train(experiment_of(place, **settings), tmp_path / "run", progress=False)
    assert not (tmp_path / "run" / "experiment.json").exists()


def test_images_without_a_table_cannot_come_later():
    with pytest.raises(InputError, match=r"training.later should be empty for images without a table"):
        fit(np.zeros((20, 1, 8, 8), np.float32), training=replace(preset("digits").training, later=("label=8",)))


def test_damaged_codes_are_one_sentence(place, tmp_path):
    run = load(place / "new")
    moved = replace(run, folder=tmp_path)
    (tmp_path / "codes").mkdir()
    assert read_codes(moved) is None
    for step, rows in ((1, [0, 1]), (2, [0, 2])):
        np.savez(tmp_path / "codes" / f"{step}.npz", rows=np.array(rows), loc=np.ones((2, 1)), scale=np.ones((2, 1)))
    with pytest.raises(InputError, match=r"2.npz should hold codes of the same images as the others"):
        read_codes(moved)
    (tmp_path / "codes" / "1.npz").write_bytes(b"no")
    with pytest.raises(InputError, match=r"1.npz should hold codes as training wrote them"):
        read_codes(moved)


def test_collections_with_a_column_of_missing_values_are_matched_by_what_is_there():
    table = pd.DataFrame({"label": [1.0, np.nan, 7.5]})
    found = Data(source=NpzSource(path="a.npz"), only=("label=1",))
    collection = ImageCollection(images=np.zeros((3, 1, 2, 2), np.uint8), table=table)
    assert len(found.chosen(collection)) == 1
