"""Correlations of latents by numpy, and what the rate is made of for Gaussians in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from vaelab.metrics.code_covariance import code_covariance
from vaelab.metrics.dimension_wise_kl import dimension_wise_kl
from vaelab.metrics.total_correlation import total_correlation

RANDOM = np.random.default_rng(0)
COVARIANCE = np.array([[1.2, 0.5, 0.0], [0.5, 0.8, -0.3], [0.0, -0.3, 1.5]])


def correlated(count, seed=0):
    return np.random.default_rng(seed).multivariate_normal([1.0, -2.0, 0.0], COVARIANCE, count)


def kl_to_standard(mean, variance):
    return 0.5 * (mean**2 + variance - 1 - np.log(variance))


# Correlations


def test_correlations_are_those_of_numpy():
    z = correlated(300)
    by_hand = np.abs(np.corrcoef(z.T)[np.triu_indices(3, 1)])
    whole, pair = code_covariance(z)
    assert whole.value == pytest.approx(by_hand.mean())
    assert (pair.part, pair.value) == ("0 and 1", pytest.approx(by_hand.max()))
    scaled = code_covariance(1e3 * z + 1e4)
    assert [score.value for score in scaled] == pytest.approx([whole.value, pair.value])


def test_their_interval_holds_the_truth():
    scale = np.sqrt(np.diag(COVARIANCE))
    truth = np.abs(COVARIANCE / np.outer(scale, scale))[np.triu_indices(3, 1)].mean()
    intervals = [code_covariance(correlated(2000, seed))[0].interval for seed in range(100)]
    assert 88 <= sum(low <= truth <= high for low, high in intervals) <= 100


def test_independent_latents_have_what_chance_gives():
    found = code_covariance(RANDOM.normal(size=(1000, 40)))[0]
    assert found.value == pytest.approx(np.sqrt(2 / (np.pi * 1000)), rel=0.1)
    assert found.interval[0] < found.value < found.interval[1]


@pytest.mark.parametrize(
    "codes",
    [np.ones((50, 3)), RANDOM.normal(size=(50, 1)), np.ones((1, 2)), np.zeros((0, 2)), np.full((9, 2), np.nan)],
)
def test_without_a_pair_there_is_no_number_and_a_reason(codes):
    (score,) = code_covariance(codes)
    assert np.isnan(score.value)
    assert score.reason


def test_a_constant_latent_is_left_out():
    z = correlated(100)
    z[:, 1] = 7
    (_, pair) = code_covariance(z)
    assert pair.part == "0 and 2"


# What the rate is made of


def gaussians(count, scale=0.7):
    """Posteriors of this width whose aggregate is normal, with the three summands in closed form, and the rates."""
    loc = correlated(count)
    of_z = COVARIANCE + scale**2 * np.eye(3)
    information = 0.5 * (np.linalg.slogdet(of_z)[1] - 3 * np.log(scale**2))
    dependence = 0.5 * (np.log(np.diag(of_z)).sum() - np.linalg.slogdet(of_z)[1])
    each = kl_to_standard(np.array([1.0, -2.0, 0.0]), np.diag(of_z))
    return loc, np.full_like(loc, scale), kl_to_standard(loc, scale**2), (information, dependence, each)


def test_of_gaussians():
    loc, scale, rates, (information, dependence, each) = gaussians(6000)
    found = {score.part: score for score in dimension_wise_kl(loc, scale, rates)}
    assert list(found) == ["", "mutual information", "total correlation", "0", "1", "2"]
    truths = {"": each.sum(), "mutual information": information, "total correlation": dependence}
    truths |= {str(latent): value for latent, value in enumerate(each)}
    for part, truth in truths.items():
        low, high = found[part].interval
        assert low - 0.02 < truth < high + 0.02, part


def test_the_three_make_up_the_rate_of_the_images_drawn():
    loc, scale, rates, _ = gaussians(800)
    scores = dimension_wise_kl(loc, scale, rates)
    assert sum(score.value for score in scores[:3]) == pytest.approx(rates.sum(1).mean())
    assert sum(score.value for score in scores[3:]) == pytest.approx(scores[0].value)


def test_its_dependence_is_near_the_metric_of_that_name():
    loc, scale, rates, _ = gaussians(3000)
    other = total_correlation(loc, scale)[0]
    part = dimension_wise_kl(loc, scale, rates)[2]
    assert other.interval[0] < part.value < other.interval[1]


def test_by_plain_sums():
    loc, scale = RANDOM.normal(size=(9, 2)), RANDOM.uniform(0.3, 1, (9, 2))
    order = np.random.default_rng(0)
    rows = order.permutation(9)
    z = loc[rows] + scale[rows] * order.standard_normal((9, 2))
    own = norm.logpdf(z, loc[rows], scale[rows])
    marginals = np.array(
        [[np.log(norm.pdf(z[i, j], loc[:, j], scale[:, j]).mean()) for j in range(2)] for i in range(9)]
    )
    joint = np.array([np.log(norm.pdf(z[i], loc, scale).prod(1).mean()) for i in range(9)])
    rates = kl_to_standard(loc, scale**2) - np.log(scale)
    values = [score.value for score in dimension_wise_kl(loc, scale, rates)]
    each = (rates[rows] - own + marginals).mean(0)
    expected = [each.sum(), (own.sum(1) - joint).mean(), (joint - marginals.sum(1)).mean(), *each]
    assert values == pytest.approx(expected)


def test_a_posterior_without_width_has_no_number_and_a_reason():
    (score,) = dimension_wise_kl(np.zeros((9, 2)), np.zeros((9, 2)), np.zeros((9, 2)))
    assert np.isnan(score.value)
    assert score.reason
