"""fit: arrays in, a model out, to the numbers of a run of the same settings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import vaelab
from vaelab.data import Data, Split
from vaelab.data.sources.npz import NpzSource
from vaelab.errors import InputError
from vaelab.experiment import Experiment
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.runs import train
from vaelab.training import Machine, Training
from vaelab.training.fit import fit

PLAIN = Machine(tune=False, threads=1, precision="float32", device="cpu")
SHORT = Training(batch_size=8, num_steps=12, validate_every=3)
MODEL = VAEConfig(
    latent_dim=2,
    encoder=MLPEncoder(hidden=(8,)),
    decoder=MLPDecoder(hidden=(8,)),
    likelihood=ContinuousBernoulliLikelihood(),
)


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (50, 1, 8, 8), dtype=np.uint8)


def weights_of(model):
    return list(model.state_dict().values())


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(weights_of(a), weights_of(b), strict=True))


def test_it_gives_the_weights_and_the_terms_of_a_run(pixels, tmp_path):
    np.savez(tmp_path / "images.npz", images=pixels[:, 0])
    data = Data(source=NpzSource(path=str(tmp_path / "images.npz")), split=Split(validation=0.2, test=0, seed=3))
    experiment = Experiment(name="a", data=data, model=MODEL, objective=ELBO(), training=SHORT, machine=PLAIN, seed=3)
    run = train(experiment, tmp_path / "run", progress=False)
    fitted = fit(pixels, MODEL, ELBO(), SHORT, PLAIN, validation=0.2, seed=3)
    assert same(run.model, fitted.model)
    rows = run.metrics().query("split == 'validation'")
    history = fitted.history.query("split == 'validation' and term == 'loss'")
    np.testing.assert_array_equal(rows["step"], history["step"])
    np.testing.assert_allclose(rows["loss"], history["value"], rtol=1e-12)


def test_bytes_and_floats_are_the_same_images(pixels):
    floats = torch.from_numpy(pixels / np.float32(255))
    stored, scaled = (fit(images, MODEL, training=SHORT, machine=PLAIN) for images in (pixels, floats))
    assert same(stored.model, scaled.model)
    assert torch.equal(stored.feed(pixels)(np.arange(4)), floats[:4])


def test_the_best_weights_by_validation_are_kept(pixels):
    wild = replace(SHORT, num_steps=30, learning_rate=0.3)
    fitted = fit(pixels, MODEL, training=wild, machine=PLAIN, validation=0.3, seed=1)
    losses = fitted.history.query("split == 'validation' and term == 'loss'").set_index("step")["value"]
    best = int(losses.idxmin())
    assert best < 30
    again = fit(pixels, MODEL, training=replace(wild, num_steps=best), machine=PLAIN, validation=0.3, seed=1)
    assert same(fitted.model, again.model)


def test_conditions_weights_and_stages(pixels):
    ones = np.ones((50, 1), np.float32)
    given = fit(pixels, MODEL, training=SHORT, machine=PLAIN, conditions=ones)
    assert given.model.num_conditions == 1
    double = fit(pixels, MODEL, training=replace(SHORT, num_steps=1), machine=PLAIN, weights=np.full(50, 2.0))
    single = fit(pixels, MODEL, training=replace(SHORT, num_steps=1), machine=PLAIN)
    loss = "term == 'loss'"
    assert double.history.query(loss)["value"].item() == pytest.approx(2 * single.history.query(loss)["value"].item())
    second = replace(MODEL, encoder=MLPEncoder(hidden=(4,)))
    both = fit(pixels, TwoStageConfig(first=MODEL, second=second), TwoStageObjective(), SHORT, PLAIN)
    assert list(both.history["stage"].unique()) == ["", "first", "second"]


def test_torchs_random_numbers_stay_as_they_were(pixels):
    torch.manual_seed(7)
    expected = torch.rand(2)
    torch.manual_seed(7)
    fit(pixels, MODEL, training=SHORT, machine=PLAIN)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"images": np.zeros((5, 8, 8), np.float32)}, "images should be floats in"),
        ({"images": np.full((5, 1, 8, 8), np.nan, np.float32)}, "images should hold finite pixel values"),
        ({"images": np.full((5, 1, 8, 8), 3.0)}, "images should lie in"),
        ({"conditions": np.ones((4, 1))}, "conditions should be a row of finite numbers for each of 50 images"),
        ({"weights": np.full(50, np.inf)}, "weights should be a finite number for each of 50 images"),
        ({"weights": np.zeros(50)}, "weights should be 0 or more, not all 0"),
        ({"seed": -1}, "seed should be from 0 to 4294967295, got -1."),
        ({"validation": 1.5}, "validation should be"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(change, sentence, pixels):
    with pytest.raises(InputError, match=sentence):
        vaelab.fit(**{"images": pixels, "model": MODEL, "training": SHORT, "machine": PLAIN, **change})
