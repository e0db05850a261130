"""Importance-weighted log p(x) against integration, and what theory says of its bias."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import logsumexp
from scipy.stats import norm
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from toy_models import CurvedVAE
from vaelab.evaluation import ImportanceSums, evaluate, importance_weights
from vaelab.metrics.log_likelihood import log_likelihood

NUM_IMAGES = 12


@pytest.fixture(scope="module")
def x():
    return torch.rand(NUM_IMAGES, 1, 3, 3, generator=torch.Generator().manual_seed(1)).round()


def mixture() -> MixtureSameFamily:
    loc = torch.tensor([[-1.0], [1.5]])
    return MixtureSameFamily(
        Categorical(torch.tensor([0.3, 0.7])), Independent(Normal(loc, torch.full_like(loc, 0.6)), 1)
    )


@pytest.mark.parametrize("prior", [None, mixture()], ids=["normal", "mixture"])
def test_it_is_the_integral_over_the_latent(x, prior):
    model = CurvedVAE(prior)
    with torch.no_grad():
        exact = model.log_evidence(x).numpy()
    gathered = evaluate(model, x, num_samples=20_000, batch_size=50_000).arrays
    error = np.abs(gathered["log_evidences"] - exact)
    expected = np.sqrt(1 / gathered["effective_samples"])
    assert (error < 5 * expected + 1e-3).all()
    assert expected.max() < 0.05
    assert (gathered["elbos"] < exact).all()


def test_one_sample_is_the_elbo_and_more_only_raise_it_toward_the_truth(x):
    model = CurvedVAE()
    with torch.no_grad():
        exact = model.log_evidence(x).mean().item()
    weights = importance_weights(model, x, num_samples=2**14, batch_size=50_000)
    elbos = evaluate(model, x, num_samples=2**14, batch_size=50_000, seed=1).arrays["elbos"]
    error = weights.std(axis=1) / np.sqrt(2**14)
    assert (np.abs(weights.mean(1) - elbos) < 8 * error).all()
    bounds = []
    for k in (1, 2, 4, 16, 64, 256, 1024):
        blocks = torch.from_numpy(weights.reshape(-1, k).T.copy())
        sums = ImportanceSums(blocks.shape[1])
        sums.add(blocks)
        bounds.append(sums.log_evidences.mean().item())
    assert np.all(np.diff(bounds) > 0), bounds
    assert bounds[0] < exact - 0.1
    assert bounds[-1] == pytest.approx(exact, abs=0.01)


def test_the_stated_bias_holds(x):
    """Bias of about -(1/S - 1/K)/2, S the effective samples among K."""
    model, k = CurvedVAE(), 64
    with torch.no_grad():
        exact = model.log_evidence(x).numpy()
    weights = importance_weights(model, x, num_samples=k * 1024, batch_size=100_000)
    blocks = weights.reshape(NUM_IMAGES, 1024, k)
    bias = (logsumexp(blocks, axis=2) - np.log(k)).mean(1) - exact
    effective = np.exp(2 * logsumexp(weights, axis=1) - logsumexp(2 * weights, axis=1)) / 1024
    predicted = -(1 / effective - 1 / k) / 2
    assert (bias < 0).all()
    np.testing.assert_allclose(bias.mean(), predicted.mean(), rtol=0.25)


@given(
    arrays(np.float64, (7, 3), elements=st.floats(-20_000, 20_000)),
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
)
def test_sums_do_not_depend_on_how_samples_come(weights, cuts):
    sums = ImportanceSums(3)
    for part in np.split(weights, np.unique(cuts)):
        sums.add(torch.from_numpy(part.copy()))
    np.testing.assert_allclose(
        sums.log_evidences.numpy(), logsumexp(weights, axis=0) - np.log(7), rtol=1e-12, atol=1e-9
    )
    normalised = np.exp(weights - logsumexp(weights, axis=0))
    np.testing.assert_allclose(sums.effective_samples.numpy(), 1 / (normalised**2).sum(0), rtol=1e-6)


def test_the_rate_without_closed_form_is_estimated_from_the_draws(x):
    model = CurvedVAE(mixture())
    gathered = evaluate(model, x, num_samples=20_000, batch_size=50_000).arrays
    assert "latent_rates" not in gathered
    z = np.linspace(-12, 12, 100_001)
    for loc, scale, value in zip(gathered["codes"][:, 0], gathered["scales"][:, 0], gathered["rates"], strict=True):
        q, p = norm(loc, scale), 0.3 * norm(-1, 0.6).pdf(z) + 0.7 * norm(1.5, 0.6).pdf(z)
        integrand = np.where(q.pdf(z) > 0, q.pdf(z) * (q.logpdf(z) - np.log(p + 1e-300)), 0)
        assert value == pytest.approx(np.trapezoid(integrand, z), rel=0.05, abs=0.03)


def test_the_same_seed_gives_the_same_weights_and_another_does_not(x):
    model = CurvedVAE()
    first, again, other = (importance_weights(model, x, 5, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_units_say_what_kind_of_number_it_is():
    values = np.array([-1.0, -2.0])
    assert log_likelihood(values)[0].unit == "nats per image"
    assert log_likelihood(values, space="unit")[0].unit == "nats per image (density)"
    assert log_likelihood(values, normalized=False)[0].unit == "nats per image (not normalised)"
