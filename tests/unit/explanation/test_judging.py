"""Series judged, where a linear decoder and a logistic classifier say what must come out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA

from tests.unit.explanation.test_exaggeration import SCALE, SIDE, TARGETS, Linear, Logistic, logit
from vaelab.errors import InputError
from vaelab.evaluation import all_metrics
from vaelab.explanation import explain
from vaelab.explanation.judging import judge_series

COUNT = 60
METHODS = ("latent_shift", "linear_direction", "random_direction")


@pytest.fixture(scope="module")
def model():
    return Linear()


@pytest.fixture(scope="module")
def x(model):
    z = torch.randn(400, 3, generator=torch.Generator().manual_seed(1))
    return model.decode(z).mean.detach()


@pytest.fixture(scope="module")
def explained(model, x):
    return explain(model, Logistic(model), x[:COUNT], targets=TARGETS, methods=METHODS, others=x[COUNT:])


@pytest.fixture(scope="module")
def judged(model, x, explained):
    return judge_series(model, explained, others=x[COUNT:])


def value(judged, method, metric, part=""):
    return judged[method].score(metric, part).value


def test_every_metric_of_explanations_is_there_of_every_method(judged):
    wanted = {metric.name for metric in all_metrics().values() if metric.words.group == "explanations"}
    of_series = {name for name in wanted if not {"deletion", "insertion"} & {*name.split("_")}}
    assert list(judged) == list(METHODS)
    for measured in judged.values():
        assert {score.metric for score in measured.scores} == of_series
        assert all(np.isfinite(score.value) and score.interval and not score.reason for score in measured.scores)
        assert measured.score("series_frechet", "0.1").count == COUNT
        assert len(measured.per_image) == COUNT


def test_a_method_that_reaches_its_targets_is_consistent(judged):
    for method in ("latent_shift", "linear_direction"):
        assert value(judged, method, "consistency_correlation") > 0.999
        assert value(judged, method, "consistency_error") < 0.005
        assert value(judged, method, "consistency_order") == pytest.approx(1)
        assert value(judged, method, "reached_span") == pytest.approx(1, abs=0.01)


def test_rarity_and_change_follow_from_the_first_latent_alone(judged, explained):
    """The steps' first latent is logit of the target, the others stay: closed forms of all that is measured of them."""
    codes, wanted = explained.codes, logit(TARGETS)
    spread, center = codes.std(0), codes.mean(0)
    squares = np.square((codes - center) / spread)
    expected = (np.square((wanted - center[0]) / spread[0]).mean() + squares[:, 1:].sum(1).mean()) / 3
    assert value(judged, "latent_shift", "series_rarity") == pytest.approx(expected, rel=0.02)
    axis = np.abs(Linear().axes.detach().numpy()[:, 0]).mean()
    moved = np.abs(wanted - codes[:, :1]).mean()
    assert value(judged, "latent_shift", "series_proximity") == pytest.approx(axis * moved, rel=0.02)
    far = np.abs(Linear().axes.detach().numpy()[:, 0]) * (wanted[-1] - wanted[0]) > 0.05
    assert value(judged, "latent_shift", "series_sparsity") == pytest.approx(far.mean())


def test_the_encoder_of_a_linear_model_finds_the_codes_of_the_steps(judged, explained):
    """Here encode(decode(z)) = z, so identity is that of the codes themselves."""
    codes, steps = explained.codes, explained.series["latent_shift"].codes
    measured = judged["latent_shift"]
    np.testing.assert_allclose(measured.arrays["returned_codes"], steps, atol=1e-3)
    nearest = [cdist(own, codes).argmin(1) == i for i, own in enumerate(steps)]
    assert value(judged, "latent_shift", "latent_closeness") == pytest.approx(np.mean(nearest), abs=0.01)
    assert value(judged, "latent_shift", "identity_cosine") > 0.5 > measured.score("identity_cosine").null


def test_novelty_is_that_of_distances_to_all_training_codes(judged, explained, model, x):
    training = model.encode(x[COUNT:]).mean.detach().numpy()
    steps = explained.series["random_direction"].codes.reshape(-1, 3)
    expected = cdist(steps, training).min(1).mean() / cdist(explained.codes, training).min(1).mean()
    assert value(judged, "random_direction", "series_novelty") == pytest.approx(expected, rel=1e-3)
    assert value(judged, "random_direction", "series_novelty") > value(judged, "latent_shift", "series_novelty")


def test_the_way_back_returns_along_f_and_not_at_random(judged):
    for method in ("latent_shift", "linear_direction"):
        assert value(judged, method, "series_way_back") < 0.02
    assert judged["random_direction"].score("series_way_back").interval[0] > 0.3


def test_features_are_principal_components_unless_others_are_given(judged, model, x, explained):
    pca = PCA(SIDE * SIDE).fit(x[COUNT:].flatten(1).numpy())
    seen = judged["latent_shift"].arrays["real_features"]
    expected = pca.transform(x[:COUNT].flatten(1).numpy())
    np.testing.assert_allclose(np.abs(seen[:, :3]), np.abs(expected[:, :3]), atol=1e-4 * SCALE)
    own = judge_series(model, explained, others=x[COUNT:], features=lambda x: x.flatten(1)[:, :2])
    np.testing.assert_array_equal(own["latent_shift"].arrays["real_features"], x[:COUNT].flatten(1)[:, :2])


def test_images_that_are_training_images_have_no_novelty_but_a_reason(model, x, explained):
    measured = judge_series(model, explained)["latent_shift"]
    assert measured.score("series_novelty").reason == "every image is a training image, or its code is that of one"


def test_a_model_of_conditions_needs_those_of_the_images(x, explained):
    conditional = Linear()
    conditional.num_conditions = 1
    given = conditional.given(torch.zeros(7, 1))
    with pytest.raises(InputError, match="images should be the 60 that were explained, got 7"):
        judge_series(given, explained, others=x[:7])
    measured = judge_series(conditional.given(torch.zeros(COUNT, 1)), explained, others=x[:COUNT])
    assert np.isfinite(measured["latent_shift"].score("latent_closeness").value)


def test_one_image_is_judged_as_far_as_it_goes(model, x):
    one = explain(model, Logistic(model), x[:1], targets=TARGETS, methods=METHODS, others=x[COUNT:])
    for measured in judge_series(model, one, others=x[COUNT:]).values():
        assert all(bool(score.reason) != bool(np.isfinite(score.value)) for score in measured.scores)
        assert np.isfinite(measured.score("consistency_error").value)
