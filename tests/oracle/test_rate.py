"""The rate against numerical integration, scipy and Monte Carlo."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vaelab.distributions import rate, rate_per_latent
from vaelab.errors import InputError

locations = st.floats(-4, 4)
scales = st.floats(0.05, 5)


def gaussian(loc, scale) -> Independent:
    return Independent(Normal(*(torch.as_tensor(value, dtype=torch.float64) for value in (loc, scale))), 1)


def standard_normal(latent_dim: int) -> Independent:
    return gaussian(np.zeros(latent_dim), np.ones(latent_dim))


def mixture() -> MixtureSameFamily:
    components = gaussian([[-2.0], [0.5], [3.0]], [[0.5], [1.0], [0.8]])
    return MixtureSameFamily(Categorical(torch.tensor([0.2, 0.5, 0.3]).double()), components)


def integrated(q, log_p) -> float:
    def summand(z):
        return np.exp(q.logpdf(z)) * (q.logpdf(z) - log_p(z))

    low, middle, high = q.ppf([1e-14, 0.5, 1 - 1e-14])
    return integrate.quad(summand, low, middle, limit=200)[0] + integrate.quad(summand, middle, high, limit=200)[0]


@given(loc=locations, scale=scales, prior_loc=locations, prior_scale=scales)
def test_closed_form_like_numerical_integration(loc, scale, prior_loc, prior_scale):
    found = rate(gaussian([[loc]], [[scale]]), gaussian([prior_loc], [prior_scale])).item()
    p = stats.norm(prior_loc, prior_scale)
    assert found == pytest.approx(integrated(stats.norm(loc, scale), p.logpdf), rel=1e-6, abs=1e-8)


@given(loc=locations, scale=scales)
def test_closed_form_like_the_formula_of_the_paper(loc, scale):
    found = rate(gaussian([[loc, 0.0]], [[scale, 1.0]]), standard_normal(2)).item()
    assert found == pytest.approx(-0.5 * (1 + np.log(scale**2) - loc**2 - scale**2), rel=1e-9, abs=1e-9)


def test_monte_carlo_agrees_with_the_closed_form():
    torch.manual_seed(0)
    q, prior = gaussian([[0.5, -1.0, 2.0]], [[0.3, 1.5, 0.9]]), standard_normal(3)
    z = q.sample((100_000,))
    draws = q.log_prob(z) - prior.log_prob(z)
    assert rate(q, prior).item() == pytest.approx(draws.mean().item(), abs=5 * draws.std().item() / 100_000**0.5)


@given(st.lists(st.tuples(locations, scales), min_size=1, max_size=6))
def test_the_latents_rates_sum_to_the_rate(posterior):
    loc, scale = np.array(posterior).T
    q, prior = gaussian(loc[None], scale[None]), standard_normal(len(loc))
    per_latent = rate_per_latent(q, prior)
    assert per_latent.shape == (1, len(loc))
    assert (per_latent >= -1e-12).all()
    torch.testing.assert_close(per_latent.sum(1), rate(q, prior))


def test_the_rate_is_zero_for_the_prior_itself():
    assert rate(gaussian([[0.0, 0.0]], [[1.0, 1.0]]), standard_normal(2)).item() == 0


@pytest.mark.parametrize(("loc", "scale"), [(0.0, 1.0), (2.5, 0.3), (-3.0, 2.0)])
def test_without_a_closed_form_one_sample_is_right_in_the_mean(loc, scale):
    torch.manual_seed(0)
    prior = mixture()
    q = gaussian(np.full((50_000, 1), loc), np.full((50_000, 1), scale))
    draws = rate(q, prior, q.sample())
    assert draws.shape == (50_000,)

    def log_p(z):
        return prior.log_prob(torch.tensor([z]).double()).item()

    expected = integrated(stats.norm(loc, scale), log_p)
    assert draws.mean().item() == pytest.approx(expected, abs=5 * draws.std().item() / 50_000**0.5)


def test_without_a_closed_form_the_gradient_is_right_in_the_mean():
    """Reparameterised: d rate / d loc by one sample each against a difference quotient of the integral."""
    torch.manual_seed(0)
    prior, n = mixture(), 50_000
    loc = torch.full((n, 1), 1.0, dtype=torch.float64, requires_grad=True)
    q = gaussian(loc, torch.full((n, 1), 0.7))
    rate(q, prior, q.rsample()).sum().backward()

    def exact(value):
        return integrated(stats.norm(value, 0.7), lambda z: prior.log_prob(torch.tensor([z]).double()).item())

    expected = (exact(1.01) - exact(0.99)) / 0.02
    assert loc.grad.mean().item() == pytest.approx(expected, abs=5 * loc.grad.std().item() / n**0.5 + 1e-3)


def test_without_closed_form_and_sample_it_says_what_it_needs():
    with pytest.raises(InputError, match="samples of q where the KL has no closed form, got None"):
        rate(gaussian([[0.0]], [[1.0]]), mixture())
