"""Total correlation against the closed form for Gaussians, integration, and sums written out."""

from __future__ import annotations

from itertools import combinations
from math import log

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch.distributions import Independent, Normal

from toy_models import ImagesOf
from vaelab.metrics import total_correlation as module
from vaelab.metrics.total_correlation import log_density_ratio, total_correlation
from vaelab.models import VAEConfig
from vaelab.penalties import Encoded
from vaelab.penalties import total_correlation as penalty_module
from vaelab.penalties.factor import Factor
from vaelab.penalties.total_correlation import TotalCorrelation, mixture_weights
from vaelab.schedules import time_of

ESTIMATORS = ["stratified", "weighted"]


def gaussian(latent_dim, correlation, scale, num_images, seed=0):
    """Posteriors N(mu_n, scale^2), mu_n normal with this correlation, so that q(z) is normal with variance 1.

    Returns:
        The means, the scales, and the total correlation of q(z) for ever more images: from the determinant.
    """
    covariance = (1 - scale**2) * ((1 - correlation) * np.eye(latent_dim) + correlation)
    loc = np.random.default_rng(seed).multivariate_normal(np.zeros(latent_dim), covariance, num_images)
    of_z = covariance + scale**2 * np.eye(latent_dim)
    truth = 0.5 * (np.log(np.diag(of_z)).sum() - np.linalg.slogdet(of_z)[1])
    return loc, np.full_like(loc, scale), truth


def posteriors(loc, scale):
    loc, scale = torch.as_tensor(loc), torch.as_tensor(scale)
    return Independent(Normal(loc, scale), 1)


def from_batches(loc, scale, batch_size, estimator, num_batches=150, num_images=None):
    """The penalty's cost, averaged over random batches of these images, and its standard error."""
    random = np.random.default_rng(1)
    torch.manual_seed(1)
    costs = []
    for _ in range(num_batches):
        rows = random.permutation(len(loc))[:batch_size]
        q = posteriors(loc[rows], scale[rows])
        z = q.sample()
        weights = mixture_weights(z, torch.tensor(num_images or len(loc)), estimator)
        costs.append(penalty_module.log_density_ratio(q, z, weights).mean().item())
    return np.mean(costs), np.std(costs) / num_batches**0.5


def leave_one_out(loc, scale, seed=2):
    z = loc + scale * np.random.default_rng(seed).normal(size=loc.shape)
    return log_density_ratio(z, loc, scale, leave_own_out=True).mean()


# Of a data set


@pytest.mark.parametrize(
    ("latent_dim", "correlation", "scale"),
    [(2, 0, 0.7), (10, 0, 0.7), (10, 0, 0.95), (2, 0.9, 0.5), (3, 0.99, 0.3), (5, 0.8, 0.5), (10, 0.5, 0.7)],
)
def test_of_a_normal_aggregate_posterior(latent_dim, correlation, scale):
    loc, scales, truth = gaussian(latent_dim, correlation, scale, 6000)
    score = total_correlation(loc, scales)[0]
    low, high = score.interval
    assert abs(score.value - truth) < 0.05 + 0.05 * truth + (high - low)
    assert high - low < 0.05 + 0.4 * truth


def test_independent_latents_have_none():
    loc, scale, truth = gaussian(10, 0, 0.7, 6000)
    assert truth == pytest.approx(0, abs=1e-12)
    assert total_correlation(loc, scale)[0].value == pytest.approx(0, abs=0.05)


def test_of_few_posteriors_by_integration():
    random = np.random.default_rng(3)
    loc, scale = random.normal(size=(4, 2)), random.uniform(0.4, 1, (4, 2))
    side = np.linspace(-7, 7, 1401)
    densities = norm.pdf(side[:, None, None], loc, scale)
    joint = np.einsum("an,bn->ab", densities[:, :, 0], densities[:, :, 1]) / 4
    product = np.outer(densities[:, :, 0].mean(1), densities[:, :, 1].mean(1))
    truth = (joint * np.log(joint / product)).sum() * (side[1] - side[0]) ** 2
    many_loc, many_scale = np.tile(loc, (1000, 1)), np.tile(scale, (1000, 1))
    z = many_loc + many_scale * np.random.default_rng(4).normal(size=many_loc.shape)
    ratios = log_density_ratio(z, loc, scale)
    assert ratios.mean() == pytest.approx(truth, abs=4 * ratios.std() / len(ratios) ** 0.5)
    low, high = total_correlation(many_loc, many_scale)[0].interval
    assert low < truth < high


@pytest.mark.parametrize("leave_own_out", [False, True])
def test_the_ratio_by_plain_sums(leave_own_out, monkeypatch):
    random = np.random.default_rng(5)
    loc, scale = random.normal(size=(9, 3)), random.uniform(0.2, 1, (9, 3))
    z = loc[:7] + scale[:7] * random.normal(size=(7, 3))
    expected = []
    for i in range(7):
        others = [n for n in range(9) if not (leave_own_out and n == i)]
        joint = np.mean([np.prod(norm.pdf(z[i], loc[n], scale[n])) for n in others])
        marginals = [np.mean([norm.pdf(z[i, j], loc[n, j], scale[n, j]) for n in others]) for j in range(3)]
        expected.append(np.log(joint) - np.log(marginals).sum())
    np.testing.assert_allclose(log_density_ratio(z, loc, scale, leave_own_out), expected, rtol=1e-10)
    monkeypatch.setattr(module, "BLOCK", 18)
    np.testing.assert_allclose(log_density_ratio(z, loc, scale, leave_own_out), expected, rtol=1e-10)


def test_narrow_posteriors_are_too_high_and_without_their_own_image_too_low():
    loc, scale, truth = gaussian(6, 0.5, 0.35, 1500)
    assert truth == pytest.approx(0.863, abs=0.001)
    score = total_correlation(loc, scale)[0]
    assert score.interval[0] > truth + 0.1
    assert leave_one_out(loc, scale) < truth - 0.2
    fewer = total_correlation(loc[:300], scale[:300])[0]
    assert fewer.value > score.value, "the fewer images, the higher"


def test_separate_posteriors_reach_the_ceiling_whatever_the_truth():
    loc, scale, _ = gaussian(4, 0, 1e-6, 500)
    score = total_correlation(loc, scale)[0]
    assert score.ceiling == pytest.approx(3 * log(500))
    assert score.value == pytest.approx(score.ceiling, abs=0.02)


def test_of_many_images_some_are_taken():
    loc, scale, truth = gaussian(3, 0.6, 0.7, 12_000)
    score = total_correlation(loc.astype(np.float32), scale.astype(np.float32))[0]
    assert score.count == 1000
    assert score.ceiling == pytest.approx(2 * log(10_000))
    assert score.value == pytest.approx(truth, abs=0.06)
    assert (score,) == total_correlation(loc.astype(np.float32), scale.astype(np.float32)), "always the same draws"


def test_one_latent_and_one_image_have_none():
    assert total_correlation(np.arange(5.0)[:, None], np.ones((5, 1)))[0].value == 0
    alone = total_correlation(np.zeros((1, 3)), np.ones((1, 3)))[0]
    assert (alone.value, alone.interval, alone.ceiling) == (pytest.approx(0, abs=1e-12), None, 0)


# From batches


def chen_stratified(batch_size, num_images, odd):
    """Weights of appendix C.2, written out: own 1/N, one of the others (N - M') / (N M'), the rest 1/M', M' = M - 1."""
    others = batch_size - 1
    weights = np.full((batch_size, batch_size), 1 / others)
    for i in range(batch_size):
        weights[i, i] = 1 / num_images
        weights[i, [n for n in range(batch_size) if n != i][odd]] = (num_images - others) / (num_images * others)
    return weights


@pytest.mark.parametrize(("batch_size", "num_images"), [(5, 12), (2, 7), (256, 737_280)])
def test_weights_are_those_of_chen(batch_size, num_images):
    z = torch.zeros(batch_size, 2, dtype=torch.float64)
    weights = {name: mixture_weights(z, torch.tensor(num_images), name).numpy() for name in ESTIMATORS}
    for rows in weights.values():
        np.testing.assert_allclose(rows.sum(1), 1, rtol=1e-12)
    by_chen = [chen_stratified(batch_size, num_images, odd) for odd in range(batch_size - 1)]
    np.testing.assert_allclose(by_chen[0].sum(1), 1, rtol=1e-12)
    np.testing.assert_allclose(weights["stratified"], np.mean(by_chen, axis=0), rtol=1e-9)
    np.testing.assert_allclose(weights["weighted"] / num_images, 1 / (num_images * batch_size), rtol=1e-12)


def test_the_stratified_density_has_no_bias_and_the_weighted_one_favours_the_own_image():
    """Averaged over all batches of 3 of 7 images that hold the first."""
    densities = torch.rand(7, dtype=torch.float64, generator=torch.Generator().manual_seed(6))
    batches = [[0, *others] for others in combinations(range(1, 7), 2)]
    means = {}
    for name in ESTIMATORS:
        row = mixture_weights(torch.zeros(3, 2, dtype=torch.float64), torch.tensor(7), name)[0]
        means[name] = np.mean([(row @ densities[batch]).item() for batch in batches])
    assert means["stratified"] == pytest.approx(densities.mean().item(), rel=1e-12)
    expected = densities[0] / 3 + densities[1:].mean() * 2 / 3
    assert means["weighted"] == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-4)])
def test_a_batch_of_all_images_is_exact(estimator, dtype, tolerance):
    loc, scale, _ = gaussian(5, 0.7, 0.4, 60)
    q = posteriors(loc.astype(dtype), scale.astype(dtype))
    torch.manual_seed(7)
    z = q.sample()
    weights = mixture_weights(z, torch.tensor(60), estimator)
    found = penalty_module.log_density_ratio(q, z, weights).numpy()
    expected = log_density_ratio(z.double().numpy(), loc, scale)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_independent_latents_cost_little_where_public_code_says_over_100_nats(estimator):
    """10 latents whose total correlation is 0, batches of 256 of 737,280 images."""
    loc, scale, _ = gaussian(10, 0, 0.7, 10_000)
    value, error = from_batches(loc, scale, 256, estimator, 30, num_images=737_280)
    assert abs(value) < 0.35
    assert error < 0.05
    q = posteriors(loc[:256], scale[:256])
    public = penalty_module.log_density_ratio(q, q.sample(), torch.full((256, 256), 1 / (256 * 737_280.0)).double())
    assert public.mean() > 120


@pytest.mark.parametrize(("latent_dim", "correlation", "scale"), [(2, 0, 0.7), (4, 0.5, 0.7), (2, 0.9, 0.5)])
def test_batches_say_what_all_images_say_where_posteriors_are_wide(latent_dim, correlation, scale):
    loc, scales, truth = gaussian(latent_dim, correlation, scale, 3000)
    for estimator in ESTIMATORS:
        value, error = from_batches(loc, scales, 128, estimator)
        assert value == pytest.approx(truth, abs=0.03 + 0.05 * truth + 4 * error)


def test_where_they_are_narrow_stratified_is_too_low_and_weighted_too_high():
    loc, scale, _ = gaussian(6, 0.5, 0.35, 1500)
    whole = total_correlation(loc, scale)[0]
    values = {name: from_batches(loc, scale, 64, name, 100) for name in ESTIMATORS}
    assert values["stratified"][0] + 5 * values["stratified"][1] < whole.interval[0]
    assert values["weighted"][0] - 5 * values["weighted"][1] > whole.interval[1]
    assert values["weighted"][0] < 5 * log(64)


def test_the_gradient_of_weighted_sampling_is_that_of_the_paper():
    loc, scale, _ = gaussian(4, 0.5, 0.5, 32)
    gradients = []
    for factor in (1, 1 / 5000):
        means = torch.tensor(loc, requires_grad=True)
        q = posteriors(means, scale)
        torch.manual_seed(8)
        z = q.rsample()
        weights = factor * mixture_weights(z, torch.tensor(5000), "weighted")
        penalty_module.log_density_ratio(q, z, weights).mean().backward()
        gradients.append(means.grad)
    torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_descent_on_batches_lowers_that_of_the_data_set(estimator):
    loc, scale, truth = gaussian(3, 0.9, 0.4, 2000)
    before = total_correlation(loc, scale)[0].value
    assert before > 0.9 * truth > 0.8
    mix = torch.eye(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([mix], 0.02)
    random = np.random.default_rng(9)
    torch.manual_seed(9)
    for _ in range(150):
        means = torch.tensor(loc[random.permutation(2000)[:64]]) @ mix
        q = posteriors(means / means.std(0), torch.full_like(means, 0.4))
        z = q.rsample()
        cost = penalty_module.log_density_ratio(q, z, mixture_weights(z, torch.tensor(2000), estimator)).mean()
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
    means = loc @ mix.detach().numpy()
    assert total_correlation(means / means.std(0), scale)[0].value < 0.2 * before


def test_the_penalty_knows_how_many_images_there_are():
    model = VAEConfig(latent_dim=5).build((1, 4, 4))
    loc, scale, _ = gaussian(5, 0.3, 0.5, 20)
    q = posteriors(loc, scale)
    z = q.sample()
    penalty = TotalCorrelation()
    companion = penalty.build(model, ImagesOf(torch.zeros(0, 1, 4, 4), 999), (1, 4, 4))
    charge = penalty(model, Encoded(torch.zeros(20, 1, 4, 4), q, z, model.prior), companion, time_of(0))
    expected = penalty_module.log_density_ratio(q, z, mixture_weights(z, torch.tensor(999), "stratified"))
    assert torch.equal(charge.cost, expected)
    assert charge.reports["total_correlation"].item() == pytest.approx(expected.mean().item())


# By a discriminator


@pytest.mark.parametrize(("correlation", "seed"), [(0.0, 0), (0.8, 0), (0.8, 1), (0.8, 2)])
def test_a_trained_discriminator_recovers_it(correlation, seed):
    """Two layers of 64 units, 400 steps on batches of 512 draws in 2 dimensions: within 0.05 nats of 0 or 0.51."""
    truth = -0.5 * np.log(1 - correlation**2)
    factor = Factor(hidden=(64, 64))
    model = VAEConfig(latent_dim=2).build((1, 4, 4))
    torch.manual_seed(seed)
    companion = factor.build(model, ImagesOf(torch.zeros(0, 1, 4, 4), 100), (1, 4, 4))
    optimizer = torch.optim.Adam(companion.parameters(), 5e-3)
    falling_rate = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, 400)

    def drawn(count):
        z = torch.randn(count, 2) @ torch.tensor([[1, correlation], [0, (1 - correlation**2) ** 0.5]])
        return Encoded(torch.zeros(count, 1), posteriors(z, torch.ones_like(z)), z, model.prior)

    for _ in range(400):
        optimizer.zero_grad()
        factor.critic_loss(drawn(512), companion).backward()
        optimizer.step()
        falling_rate.step()
    with torch.no_grad():
        assert factor(model, drawn(20_000), companion, None).cost.mean() == pytest.approx(truth, abs=0.05)
