"""The scikit-learn face."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from vaelab.errors import InputError
from vaelab.evaluation import evaluate
from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.likelihoods.categorical import CategoricalLikelihood
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.sklearn import VAEEmbedding

SMALL = {"encoder": MLPEncoder(hidden=(16,)), "decoder": MLPDecoder(hidden=(16,)), "random_state": 0}
LINEAR = {"encoder": MLPEncoder(hidden=()), "decoder": MLPDecoder(hidden=()), "random_state": 0}
PIXELS, LABELS = load_digits(return_X_y=True)
IRIS = load_iris().data


@parametrize_with_checks([VAEEmbedding(num_epochs=2, num_samples=5, **SMALL), VAEEmbedding(num_epochs=2)])
def test_it_does_all_that_scikit_learn_expects(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    """A model of digits, and the digits and labels it has not seen, beside those it has."""
    parts = train_test_split(PIXELS, LABELS, random_state=0, stratify=LABELS)
    networks = {"encoder": MLPEncoder(hidden=(64,)), "decoder": MLPDecoder(hidden=(64,))}
    embedding = VAEEmbedding(4, num_epochs=20, learning_rate=3e-3, value_range=(0, 16), random_state=0, **networks)
    return embedding.fit(parts[0]), *parts


@pytest.fixture(scope="module")
def iris():
    """A linear model of iris flowers."""
    return VAEEmbedding(2, num_epochs=100, learning_rate=0.05, patience=None, num_samples=500, **LINEAR).fit(IRIS)


def test_digits_are_told_apart_and_drawn_as_well_as_by_principal_components(digits):
    embedding, train, test, train_labels, labels = digits
    pca = PCA(4).fit(train)
    accuracies, errors = [], []
    for model in (embedding, pca):
        classifier = LogisticRegression(max_iter=2000).fit(model.transform(train), train_labels)
        accuracies.append(classifier.score(model.transform(test), labels))
        errors.append(np.square(model.inverse_transform(model.transform(test)) - test).mean())
    assert accuracies[0] > max(0.75, accuracies[1] - 0.05)
    assert errors[0] < 1.05 * errors[1]
    assert embedding.score(test) > pca.score(test)


def test_scores_are_those_of_the_evaluation_in_the_units_of_the_samples(digits):
    embedding, _, test, *_ = digits
    y = torch.from_numpy(test / 16).float().view(-1, 64, 1, 1)
    measured = evaluate(embedding.model_, y, metrics=["elbo", "log_likelihood"], num_samples=100)
    volume, found = 64 * np.log(16), embedding.score_samples(test)
    assert embedding.score(test) == pytest.approx(measured.score("elbo").value - volume, abs=0.15)
    assert found.mean() == pytest.approx(measured.score("log_likelihood").value - volume, abs=0.15)
    np.testing.assert_allclose(found, measured.per_image["log_likelihood"] - volume, atol=8)
    assert embedding.score(test) < found.mean()


def test_a_linear_model_gives_the_exact_density(iris):
    (layer, _), lo, span = iris.model_.decoder.double(), iris.units_.lo.ravel(), iris.units_.span.ravel()
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    scale = iris.model_.decode(torch.zeros(1, 2).double()).scale.detach().numpy().ravel()
    covariance = span[:, None] * (weight @ weight.T + np.diag(scale**2)) * span
    iris.model_.float()
    exact = multivariate_normal(lo + span * bias, covariance).logpdf(IRIS)
    found = iris.score_samples(IRIS)
    np.testing.assert_allclose(found, exact, atol=0.2)
    assert found.mean() == pytest.approx(exact.mean(), abs=0.01)
    assert exact.mean() - 0.5 < iris.score(IRIS) < exact.mean()
    assert (iris.score_samples(IRIS[:5] + 10) < exact.min()).all()


def test_another_unit_of_the_samples_is_another_density_and_the_same_code(iris):
    other = clone(iris).fit(1000 * IRIS)
    np.testing.assert_allclose(other.transform(1000 * IRIS), iris.transform(IRIS), atol=1e-3)
    difference = iris.score_samples(IRIS[::5]) - other.score_samples(1000 * IRIS[::5])
    np.testing.assert_allclose(difference, 4 * np.log(1000), atol=0.1)
    codes = iris.transform(IRIS)
    np.testing.assert_allclose(other.inverse_transform(codes), 1000 * iris.inverse_transform(codes), rtol=1e-3)


@pytest.mark.parametrize("likelihood", [BernoulliLikelihood(), CategoricalLikelihood(num_levels=2)])
def test_probabilities_sum_to_one_and_have_no_unit(likelihood):
    everything = np.array(list(itertools.product((0.0, 255.0), repeat=4)))
    embedding = VAEEmbedding(2, likelihood=likelihood, value_range=(0, 255), num_epochs=5, num_samples=1000, **SMALL)
    nats = embedding.fit(everything).score_samples(everything)
    assert np.exp(nats).sum() == pytest.approx(1, abs=0.01)


def test_what_a_likelihood_does_not_know_has_no_density():
    X = np.random.default_rng(0).random((40, 3))
    embedding = VAEEmbedding(likelihood=ContinuousBernoulliLikelihood(), num_epochs=1, num_samples=3, **SMALL).fit(X)
    assert np.isfinite(embedding.score_samples(X)).all()
    assert embedding.score_samples(np.vstack([X[:1], X[:1] + 2])).tolist()[1] == -np.inf
    assert embedding.score(X[:1] + 2) == -np.inf
    assert np.isfinite(embedding.transform(X[:1] + 2)).all()


def test_a_score_of_what_is_no_probability_is_refused():
    embedding = VAEEmbedding(likelihood=GreyBernoulliLikelihood(), num_epochs=1, **SMALL).fit(IRIS)
    for score in (embedding.score, embedding.score_samples):
        with pytest.raises(InputError, match="likelihood should be normalised"):
            score(IRIS)


def test_the_score_does_not_depend_on_the_weight_of_the_rate():
    plain, weighted = (VAEEmbedding(rate_weight=beta, num_epochs=1, **SMALL).fit(IRIS) for beta in (1.0, 50.0))
    plain.model_.load_state_dict(weighted.model_.state_dict())
    assert plain.score(IRIS) == weighted.score(IRIS)


@pytest.mark.slow
def test_it_stands_in_a_pipeline_and_in_a_search_over_two_processes():
    pipeline = make_pipeline(VAEEmbedding(4, num_epochs=8, learning_rate=3e-3, **SMALL), LogisticRegression())
    assert cross_val_score(pipeline, PIXELS, LABELS, cv=2).min() > 0.3
    choices = {"likelihood": [None, GaussianLikelihood(scale=100.0)], "n_components": np.array([2])}
    plain = VAEEmbedding(value_range=(0, 16), batch_size=16, learning_rate=0.01, num_epochs=4, num_samples=5, **SMALL)
    search = GridSearchCV(plain, choices, n_jobs=2, cv=2)
    search.fit(PIXELS[:400])
    assert search.best_params_["likelihood"] is None
    assert search.best_estimator_.score(PIXELS[:400]) == search.score(PIXELS[:400])
    assert search.cv_results_["mean_test_score"][0] > search.cv_results_["mean_test_score"][1] + 10


def test_a_pickle_and_a_clone_are_the_same(digits):
    embedding, train, test, *_ = digits
    back = pickle.loads(pickle.dumps(embedding))
    np.testing.assert_array_equal(back.transform(test), embedding.transform(test))
    np.testing.assert_array_equal(back.score_samples(test[:9]), embedding.score_samples(test[:9]))
    np.testing.assert_array_equal(back.inverse_transform(np.eye(4)), embedding.inverse_transform(np.eye(4)))
    copy = clone(embedding)
    assert copy.get_params() == embedding.get_params()
    short = clone(embedding).set_params(num_epochs=1)
    with pytest.raises(NotFittedError):
        copy.transform(test)
    np.testing.assert_array_equal(short.fit(train).transform(test), clone(short).fit(train).transform(test))
    assert set(vars(VAEEmbedding())) == set(VAEEmbedding().get_params())


def test_images_come_as_images_or_as_rows():
    images = PIXELS.reshape(-1, 8, 8)[:200]
    networks = {"encoder": ConvEncoder(widths=(4,), norm="batch"), "decoder": ConvDecoder(widths=(4,), norm="batch")}
    plain = VAEEmbedding(num_epochs=1, random_state=0, **networks)
    rows = VAEEmbedding(image_shape=(8, 8), num_epochs=1, random_state=0, **networks).fit(PIXELS[:200])
    stacked = clone(plain).fit(images[:, None])
    flat = clone(plain).fit(images)
    before = {name: value.clone() for name, value in flat.model_.state_dict().items()}
    codes = flat.transform(images)
    np.testing.assert_array_equal(rows.transform(PIXELS[:200]), codes)
    np.testing.assert_array_equal(stacked.transform(images[:, None]), codes)
    np.testing.assert_array_equal(clone(plain).fit(images.astype(np.uint8)).transform(images), codes)
    assert flat.model_.image_shape == (1, 8, 8)
    assert flat.inverse_transform(codes).shape == images.shape
    assert stacked.inverse_transform(codes).shape == images[:, None].shape
    assert rows.inverse_transform(codes).shape == (200, 64)
    flat.score_samples(images[:3])
    assert all(torch.equal(before[name], value) for name, value in flat.model_.state_dict().items())


def test_samples_far_from_zero_keep_their_digits():
    X = IRIS + 1e9
    embedding = VAEEmbedding(num_epochs=30, learning_rate=0.01, **SMALL).fit(X)
    assert np.abs(embedding.inverse_transform(embedding.transform(X)) - X).mean() < 0.6
    assert embedding.inverse_transform(np.zeros((1, 2))).dtype == np.float64


def test_a_table_keeps_its_names_and_gives_a_table():
    table = pd.DataFrame(IRIS, columns=list("abcd"))
    embedding = VAEEmbedding(num_epochs=1, **SMALL).set_output(transform="pandas")
    codes = embedding.fit_transform(table)
    assert codes.columns.tolist() == embedding.get_feature_names_out().tolist() == ["vaeembedding0", "vaeembedding1"]
    assert embedding.feature_names_in_.tolist() == list("abcd")
    assert {"step", "term", "value"} <= set(embedding.history_)
    with pytest.raises(ValueError, match="feature names"):
        embedding.transform(table[list("dcba")])


def test_fitting_and_scoring_leave_everybodys_random_numbers_alone():
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    VAEEmbedding(num_epochs=1, num_samples=2, **SMALL).fit(IRIS).score(IRIS)
    after = torch.rand(1), np.random.rand()  # noqa: NPY002
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    assert after == (torch.rand(1), np.random.rand())  # noqa: NPY002


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_components", 0),
        ("n_components", 2.5),
        ("encoder", "mlp"),
        ("decoder", MLPEncoder()),
        ("likelihood", 3),
        ("image_shape", (3, 3)),
        ("image_shape", (2, 2, 1, 1)),
        ("value_range", (1, 0)),
        ("value_range", (0, 1, 2)),
        ("rate_weight", -1.0),
        ("num_epochs", 0),
        ("batch_size", np.int64(0)),
        ("learning_rate", float("nan")),
        ("validation_fraction", 1.0),
        ("patience", 0),
        ("num_samples", "many"),
        ("device", "gpu"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_its_name(name, value):
    with pytest.raises(InputError, match=f"^{name} should"):
        VAEEmbedding().set_params(**{name: value}).fit(IRIS)


def test_samples_that_cannot_be_are_refused():
    embedding = VAEEmbedding(num_epochs=1, **SMALL).fit(PIXELS[:50].reshape(-1, 8, 8))
    with pytest.raises(InputError, match=r"X should hold samples of shape \(8, 8\), as in fit, got \(8, 7\)"):
        embedding.transform(PIXELS[:5].reshape(-1, 8, 8)[:, :, 1:])
    with pytest.raises(InputError, match="Z should have a column for each of the 2 latents, got 3"):
        embedding.inverse_transform(np.zeros((1, 3)))
    with pytest.raises(InputError, match=r"X should be \(sample, feature\)"):
        VAEEmbedding().fit(np.zeros((4, 1, 2, 3, 4)))
    with pytest.raises(InputError, match="X should be"):
        VAEEmbedding().fit(np.zeros((4, 3, 0)))
    with pytest.raises(InputError, match=r"X should lie in value_range \(0.0, 1.0\), got values from 0.1 to 7.9"):
        VAEEmbedding(value_range=(0, 1)).fit(IRIS)
    with pytest.raises(InputError, match="X should span a finite range"):
        VAEEmbedding().fit(np.array([[-1.7e308], [1.7e308]]))
    with pytest.raises(InputError, match="0 or 1"):
        VAEEmbedding(likelihood=BernoulliLikelihood()).fit(IRIS)
    with pytest.raises(TypeError, match="Sparse data was passed"):
        VAEEmbedding().fit(sparse.csr_matrix(IRIS))
    with pytest.raises(ValueError, match="Complex data not supported"):
        VAEEmbedding().fit(IRIS + 1j)
