"""A predictor tells classes or a number, is calibrated on held-out images, and is read back as it was, or refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from scipy.special import softmax

from vaelab.data import Intensity, Scaling
from vaelab.data.feed import Feed
from vaelab.errors import InputError
from vaelab.evaluation import ClassifierFacts, fit_predictor, load_classifier, save_classifier
from vaelab.evaluation import classifier as module
from vaelab.evaluation.calibration import fit_temperature
from vaelab.training.checkpoint import save_weights


@pytest.fixture(scope="module", autouse=True)
def _few_steps():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FEWEST_STEPS", 80)
        patch.setattr(module, "_PASSES", 5)
        yield


@pytest.fixture(scope="module")
def feed():
    """A bright bar that stands in one of eight columns, in noise."""
    random = np.random.default_rng(0)
    images = 0.2 * random.random((160, 1, 8, 8)).astype(np.float32)
    images[np.arange(160), 0, :, np.arange(160) % 8] += 0.7
    return Feed(images, Scaling().fit(images, np.arange(160)))


FACTS = ClassifierFacts(column="place", image_shape=(1, 8, 8), intensity=Intensity(lo=(0.0,), hi=(1.0,)))
PLACES = (np.arange(160) % 8).astype(float)
LEARN, CALIBRATE, JUDGE = np.arange(100), np.arange(100, 130), np.arange(130, 160)


@pytest.fixture(scope="module")
def sides(feed):
    facts = replace(FACTS, classes=("left", "right"), group="plate", images="abc")
    return fit_predictor(feed, facts, (PLACES > 3).astype(float), LEARN, CALIBRATE)


@pytest.fixture(scope="module")
def places(feed):
    facts = replace(FACTS, mean=float(PLACES[LEARN].mean()), scale=float(PLACES[LEARN].std()))
    return fit_predictor(feed, facts, PLACES, LEARN, CALIBRATE)


def test_it_tells_classes_as_probabilities_and_a_number_in_its_unit(feed, sides, places):
    x = feed(JUDGE).clone()
    found = sides(x).detach().numpy()
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
    assert (found.argmax(1) == (PLACES[JUDGE] > 3)).mean() > 0.9
    assert float(sides.temperature) != 1
    told = places(x).detach().numpy()
    assert told.shape == (30, 1)
    assert np.corrcoef(told[:, 0], PLACES[JUDGE])[0, 1] > 0.9
    assert abs(told.mean() - PLACES[JUDGE].mean()) < 1
    assert float(places.temperature) == 1
    with pytest.raises(InputError, match="images should be 1 x 8 x 8, as those that the classifier learnt from"):
        sides(torch.zeros(2, 1, 8, 9))


def test_its_answers_have_gradients(feed, sides):
    x = feed(JUDGE).clone().requires_grad_()
    sides(x)[:, 1].sum().backward()
    assert float(x.grad.abs().max()) > 0


def test_the_temperature_makes_held_out_classes_likeliest(feed, sides):
    logits = sides.network(feed(CALIBRATE)).detach().numpy().astype(float)
    classes = (PLACES[CALIBRATE] > 3).astype(int)

    def loss(temperature):
        p = softmax(logits / temperature, axis=1)
        return np.log(temperature) ** 2 / 2 - np.log(p[np.arange(30), classes]).sum()

    best = float(sides.temperature)
    assert loss(best) < min(loss(best * 1.01), loss(best / 1.01))


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_logits_were_made_with_is_found_again(temperature):
    random = np.random.default_rng(0)
    true = random.normal(size=(20_000, 4))
    chances = softmax(true, axis=1)
    classes = (chances.cumsum(1) < random.random((20_000, 1))).sum(1)
    assert fit_temperature(temperature * true, classes) == pytest.approx(temperature, rel=0.03)


@pytest.mark.parametrize("right", [60_000, 90_000, 99_000])
def test_the_temperature_of_equal_margins_is_in_closed_form(right):
    """T = margin / logit of the share that is right."""
    share, logits = right / 100_000, np.tile([3.0, 0.0], (100_000, 1))
    classes = np.where(np.arange(100_000) < right, 0, 1)
    assert fit_temperature(logits, classes) == pytest.approx(3 / np.log(share / (1 - share)), rel=1e-3)


def test_where_all_is_right_no_answer_becomes_certain_and_logits_that_say_nothing_stay():
    """A margin m of n images: 0 = log T + n m / (T (1 + exp(m / T)))."""
    found = fit_temperature(np.tile([3.0, 0.0], (20, 1)), np.zeros(20, int))
    assert np.log(found) + 20 * 3 / found / (1 + np.exp(3 / found)) == pytest.approx(0, abs=1e-4)
    assert 0.3 < found < 1
    assert fit_temperature(np.ones((5, 3)), np.zeros(5, int)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", ["sides", "places"])
def test_it_is_read_back_as_it_was(name, feed, tmp_path, request):
    predictor, path = request.getfixturevalue(name), tmp_path / "a.safetensors"
    save_classifier(predictor, path)
    before = torch.get_rng_state()
    again = load_classifier(path)
    assert torch.equal(torch.get_rng_state(), before)
    assert again.facts == predictor.facts
    assert not again.training
    assert torch.equal(again(feed(JUDGE)), predictor(feed(JUDGE)))
    with safe_open(path, "pt") as file:
        said = json.loads(file.metadata()["vaelab"])["classifier"]
    assert (said["column"], said["image_shape"]) == ("place", [1, 8, 8])


def test_what_is_no_classifier_is_refused_in_a_sentence(sides, tmp_path):
    path = tmp_path / "a.safetensors"

    def refused() -> str:
        with pytest.raises(InputError) as found:
            load_classifier(path)
        return str(found.value)

    assert "should be a classifier that vaelab classify wrote, got a file that cannot be read" in refused()
    path.write_bytes(b"none")
    assert "should be a classifier that vaelab classify wrote, got a file that cannot be read" in refused()
    save_weights(torch.nn.Linear(2, 2), path)
    assert "should be a classifier that vaelab classify wrote, got a file of something else" in refused()
    said = {"column": "a", "image_shape": [1, 8, 8], "intensity": {"lo": [0.0], "hi": [1.0]}}
    save_weights(sides, path, {"classifier": said | {"image_shape": [1, 1 << 40, 1 << 40]}})
    assert "a file of something else" in refused()
    save_weights(sides, path, {"classifier": said | {"classes": ["a", "b", "c"]}})
    assert "should hold the weights of this model" in refused()
    save_weights(sides, path, {"classifier": said | {"classes": ["a"]}})
    assert "a file of something else" in refused()
    cold = load_and_cool(sides, path)
    save_classifier(cold, path)
    assert "should hold a temperature above 0" in refused()
    save_classifier(sides, path)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    assert "should hold what was saved, got other numbers" in refused()


def load_and_cool(sides, path):
    save_classifier(sides, path)
    cold = load_classifier(path)
    cold.temperature.fill_(-1.0)
    return cold
