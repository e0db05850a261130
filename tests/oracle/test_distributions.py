"""Distributions over images against scipy's, torch's and numerical integration."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special, stats
from torch.distributions import ContinuousBernoulli

from vaelab.distributions import (
    BernoulliPixels,
    BetaPixels,
    CategoricalPixels,
    ContinuousBernoulliPixels,
    GaussianPixels,
    LaplacePixels,
    LogisticPixels,
    discretize,
)
from vaelab.distributions.continuous_bernoulli import LogSinhc, coth_minus_inverse
from vaelab.errors import InputError
from vaelab.likelihoods.discretized_logistic import DiscretizedLogisticLikelihood

grey = st.floats(0, 1)
logit = st.floats(-30, 30)
location = st.floats(-0.5, 1.5)
width = st.floats(0.01, 10)
LOCATION_SCALE = {
    GaussianPixels: stats.norm,
    LaplacePixels: stats.laplace,
    LogisticPixels: stats.logistic,
}


def pixel(value: float) -> torch.Tensor:
    return torch.full((1, 1, 1, 1), value, dtype=torch.float64)


def log_prob(distribution, x: float) -> float:
    return distribution.log_prob(pixel(x)).item()


@pytest.mark.parametrize("cls", LOCATION_SCALE)
@given(x=grey, loc=location, scale=width)
def test_location_scale_like_scipy(cls, x, loc, scale):
    expected = LOCATION_SCALE[cls].logpdf(x, loc, scale)
    assert log_prob(cls(pixel(loc), pixel(scale)), x) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("cls", LOCATION_SCALE)
@given(lower=location, size=st.floats(1e-3, 1), loc=location, scale=width)
def test_location_scale_intervals_like_scipy(cls, lower, size, loc, scale):
    frozen, upper = LOCATION_SCALE[cls](loc, scale), lower + size
    mass = frozen.cdf(upper) - frozen.cdf(lower) if lower < loc else frozen.sf(lower) - frozen.sf(upper)
    found = cls(pixel(loc), pixel(scale)).log_interval(pixel(lower), pixel(upper)).item()
    if mass > 1e-250:
        assert found == pytest.approx(np.log(mass), rel=1e-7, abs=1e-7)
    assert np.isfinite(found)


@pytest.mark.parametrize("cls", LOCATION_SCALE)
def test_the_kinds_of_scale_agree(cls):
    x, loc = torch.rand(4, 3, 5, 6), torch.rand(4, 3, 5, 6)
    per_channel = torch.tensor([0.1, 0.2, 0.5]).view(3, 1, 1)
    per_pixel = per_channel.expand(4, 3, 5, 6).clone()
    torch.testing.assert_close(cls(loc, per_channel).log_prob(x), cls(loc, per_pixel).log_prob(x))
    one = torch.tensor(0.3)
    torch.testing.assert_close(cls(loc, one).log_prob(x), cls(loc, one.expand(4, 3, 5, 6).clone()).log_prob(x))


@given(x=st.sampled_from([0, 1]), logits=logit)
def test_bernoulli_like_scipy(x, logits):
    assert log_prob(BernoulliPixels(pixel(logits)), x) == pytest.approx(
        special.log_expit(logits if x else -logits), rel=1e-12
    )
    p = BernoulliPixels(pixel(logits))
    assert p.mean.item() == pytest.approx(stats.bernoulli(special.expit(logits)).mean())


@given(x=grey, logits=st.one_of(logit, st.floats(-1e-3, 1e-3)))
def test_continuous_bernoulli_is_a_truncated_exponential(x, logits):
    rate = max(abs(logits), 1e-9)
    expected = stats.truncexpon(rate).logpdf(rate * (1 - x if logits > 0 else x)) + np.log(rate)
    p = ContinuousBernoulliPixels(pixel(logits))
    assert log_prob(p, x) == pytest.approx(expected, abs=1e-7)
    # scipy's own mean cancels near 0; integrate instead.
    mean, _ = integrate.quad(lambda t: t * np.exp(log_prob(p, t)), 0, 1)
    assert p.mean.item() == pytest.approx(mean, abs=1e-7)


def test_continuous_bernoulli_like_torch_away_from_one_half():
    logits = torch.cat([torch.linspace(-8, -0.1, 50), torch.linspace(0.1, 8, 50)]).double()
    x = torch.rand(100, dtype=torch.float64)
    theirs, ours = ContinuousBernoulli(logits=logits), ContinuousBernoulliPixels(logits.view(-1, 1, 1, 1))
    torch.testing.assert_close(ours.log_prob(x.view(-1, 1, 1, 1)), theirs.log_prob(x), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(ours.mean.flatten(), theirs.mean, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_log_sinhc_and_its_slope_are_smooth_through_zero(dtype):
    t = torch.cat([torch.linspace(-2, 2, 2001), torch.logspace(-12, 1.5, 200)]).double()
    safe = np.where(t.abs() < 1e-4, 1, t)
    exact = np.where(t.abs() < 1e-4, t.square() / 6, np.log(np.sinh(safe) / safe))
    tolerance = 1e-12 if dtype == torch.float64 else 1e-6
    np.testing.assert_allclose(LogSinhc.apply(t.to(dtype)).double(), exact, atol=tolerance, rtol=tolerance)
    slope = np.where(t.abs() < 1e-4, t / 3, 1 / np.tanh(safe) - 1 / safe)
    np.testing.assert_allclose(coth_minus_inverse(t.to(dtype)).double(), slope, atol=10 * tolerance, rtol=0)
    assert torch.autograd.gradgradcheck(LogSinhc.apply, torch.tensor([-3.0, -0.1, 0.0, 1.0]).double().requires_grad_())


@pytest.mark.parametrize("logits", [-12.0, -1.0, -5e-4, 0.0, 5e-4, 1.0, 12.0])
def test_continuous_bernoulli_samples_follow_its_distribution_function(logits):
    torch.manual_seed(0)
    p = ContinuousBernoulliPixels(pixel(logits))
    x = p.sample((20_000,)).flatten().numpy()

    def distribution_function(upper):
        upper = torch.from_numpy(np.maximum(upper, 1e-300)).view(-1, 1, 1, 1)
        return p.log_interval(torch.zeros_like(upper), upper).exp().flatten().numpy()

    assert stats.kstest(x, distribution_function).pvalue > 1e-3


@pytest.mark.parametrize("cls", LOCATION_SCALE)
def test_location_scale_samples_like_scipy(cls):
    torch.manual_seed(0)
    x = cls(pixel(0.3), torch.tensor(0.2).double()).sample((20_000,)).flatten().numpy()
    assert stats.kstest(x, LOCATION_SCALE[cls](0.3, 0.2).cdf).pvalue > 1e-3


@given(x=grey, a=st.floats(0.01, 500), b=st.floats(0.01, 500), margin=st.floats(1e-4, 0.4))
def test_beta_like_scipy_with_its_change_of_variable(x, a, b, margin):
    stretch = 1 / (1 - 2 * margin)
    expected = stats.beta(a, b, loc=-margin * stretch, scale=stretch)
    p = BetaPixels(pixel(a), pixel(b), margin)
    assert log_prob(p, x) == pytest.approx(expected.logpdf(x), rel=1e-8, abs=1e-8)
    assert p.mean.item() == pytest.approx(expected.mean(), abs=1e-12)


def test_categorical_like_numpy_and_its_samples():
    torch.manual_seed(0)
    logits = torch.randn(1, 8, 1, 1, 1, dtype=torch.float64)
    p = CategoricalPixels(logits)
    expected = special.softmax(logits.flatten().numpy())
    found = [np.exp(log_prob(p, level / 7)) for level in range(8)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    counts = np.bincount((p.sample((20_000,)).flatten() * 7).round().long().numpy(), minlength=8)
    assert stats.chisquare(counts, 20_000 * expected).pvalue > 1e-3


@pytest.mark.parametrize("num_levels", [2, 8, 256])
@given(loc=st.floats(-2, 2), scale=st.floats(0.002, 2), data=st.data())
def test_discretized_logistic_like_the_paper(num_levels, loc, scale, data):
    level = data.draw(st.integers(0, num_levels - 1))
    # The paper's images lie in [-1, 1], with half a bin of 1 / (L - 1); its scale is twice ours.
    y, half = 2 * level / (num_levels - 1) - 1, 1 / (num_levels - 1)
    logistic = stats.logistic(loc, 2 * scale)
    above = 1.0 if level == num_levels - 1 else logistic.cdf(y + half)
    below = 0.0 if level == 0 else logistic.cdf(y - half)
    mass = (
        above - below
        if y < loc
        else (logistic.sf(y - half) if level else 1.0) - (logistic.sf(y + half) if level < num_levels - 1 else 0.0)
    )
    p = DiscretizedLogisticLikelihood(num_levels=num_levels, scale=scale)(pixel(loc), {})
    if mass > 1e-250:
        assert log_prob(p, level / (num_levels - 1)) == pytest.approx(np.log(mass), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    "density",
    [
        GaussianPixels(pixel(0.2), pixel(0.3)),
        LaplacePixels(pixel(0.9), pixel(0.05)),
        LogisticPixels(pixel(0.47), pixel(0.1)),
        ContinuousBernoulliPixels(pixel(3.0)),
        BetaPixels(pixel(2.5), pixel(7.0), 0.005),
    ],
    ids=repr,
)
@pytest.mark.parametrize("num_levels", [2, 16])
def test_discretize_integrates_the_density_over_each_bin(density, num_levels):
    binned = discretize(density, num_levels)
    found = [np.exp(log_prob(binned, level / (num_levels - 1))) for level in range(num_levels)]
    ends = (-20, 20)
    if isinstance(density, ContinuousBernoulliPixels):
        ends = (0, 1)
    if isinstance(density, BetaPixels):
        ends = (density.support.lower_bound + 1e-9, density.support.upper_bound - 1e-9)
    edges = [ends[0], *(np.arange(1, num_levels) / num_levels), ends[1]]
    expected = [
        integrate.quad(lambda x: np.exp(log_prob(density, x)), a, b, points=[np.clip(density.mode.item(), a, b)])[0]
        for a, b in pairwise(edges)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert sum(found) == pytest.approx(1, abs=1e-9)
    assert binned.mean.item() == pytest.approx(np.dot(expected, np.linspace(0, 1, num_levels)), abs=1e-6)
    assert binned.mode.item() == pytest.approx(np.argmax(expected) / (num_levels - 1))
    torch.manual_seed(0)
    levels = (binned.sample((20_000,)).flatten() * (num_levels - 1)).round().long().numpy()
    frequencies = np.bincount(levels, minlength=num_levels) / 20_000
    np.testing.assert_allclose(frequencies, expected, atol=5 * 0.5 / 20_000**0.5)


def test_discretize_refuses_what_has_no_distribution_function():
    with pytest.raises(InputError, match=r"known distribution function.*got BernoulliPixels"):
        discretize(BernoulliPixels(pixel(0)), 256)


@pytest.mark.parametrize(("a", "b"), [(0.02, 5.0), (5.0, 0.02), (3.0, 90.0), (900.0, 9000.0)])
def test_the_mass_of_a_beta_in_a_bin_is_exact_in_the_tails_too(a, b):
    """By 40 digits of mpmath where a float has none, and summing to 1."""
    mpmath = pytest.importorskip("mpmath")
    p, levels = BetaPixels(pixel(a), pixel(b), 0.005), torch.arange(256, dtype=torch.float64).view(-1, 1, 1, 1) / 255
    found = discretize(p, 256).log_prob(levels)
    assert found.exp().sum().item() == pytest.approx(1, abs=1e-9)
    with mpmath.workdps(40):
        for level in (0, 1, 25, 128, 255):
            low, high = (0.005 + 0.99 * end / 256 for end in (level, level + 1))
            low, high = low if level > 0 else 0, high if level < 255 else 1
            if min(a, b) < 1:
                exact = mpmath.log(mpmath.betainc(a, b, low, high, regularized=True))
            else:
                pieces = mpmath.linspace(low, high, 20)
                exact = mpmath.log(mpmath.quad(lambda y: y ** (a - 1) * (1 - y) ** (b - 1) / mpmath.beta(a, b), pieces))
            assert found[level].item() == pytest.approx(float(exact), rel=1e-3 if exact < -600 else 1e-6)
