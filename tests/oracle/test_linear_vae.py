"""The first oracle: where the posterior is exact, every importance weight is log p(x)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from toy_models import LinearVAE
from vaelab.evaluation import evaluate, importance_weights


def exact(model: LinearVAE, x: torch.Tensor) -> np.ndarray:
    mean, covariance = model.mean.double().numpy(), model.covariance().detach().double().numpy()
    return multivariate_normal(mean, covariance).logpdf(x.flatten(1).double().numpy())


def images(model: LinearVAE, count: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.rand(count, *model.image_shape, generator=random, dtype=model.weight.dtype)


@pytest.mark.parametrize("latent_dim", [1, 3, 10])
def test_every_weight_is_the_exact_log_likelihood(latent_dim):
    model = LinearVAE(image_shape=(2, 4, 5), latent_dim=latent_dim)
    x = images(model, 40)
    weights = importance_weights(model, x, num_samples=50, batch_size=16)
    assert weights.shape == (40, 50)
    assert weights.dtype == np.float64
    np.testing.assert_allclose(weights, np.repeat(exact(model, x)[:, None], 50, axis=1), rtol=0, atol=1e-9)


def test_float32_networks_come_within_a_thousandth_of_a_nat():
    model = LinearVAE(dtype=torch.float32)
    x = images(model, 40)
    weights = importance_weights(model, x, num_samples=50)
    np.testing.assert_allclose(weights, np.repeat(exact(model, x)[:, None], 50, axis=1), rtol=0, atol=2e-3)


def test_with_the_exact_posterior_all_samples_count_and_the_elbo_is_the_log_likelihood():
    model = LinearVAE()
    x = images(model, 30)
    gathered = evaluate(model, x, num_samples=4000, batch_size=4000).arrays
    np.testing.assert_allclose(gathered["log_evidences"], exact(model, x), atol=1e-9)
    np.testing.assert_allclose(gathered["effective_samples"], 4000, rtol=1e-9)
    np.testing.assert_allclose(gathered["elbos"], exact(model, x), atol=6 * np.sqrt(1.5 / 4000))


def test_a_wrong_posterior_costs_the_elbo_its_divergence_and_importance_sampling_mends_it():
    model, right = LinearVAE(shift=0.5, stretch=1.3), LinearVAE()
    x = images(model, 30)
    gathered = evaluate(model, x, num_samples=4000, batch_size=4000).arrays
    with torch.no_grad():
        gap = torch.distributions.kl_divergence(model.encode(x), right.encode(x)).numpy()
    assert gap.min() > 0.4
    weights = importance_weights(model, x, num_samples=4000, batch_size=4000)
    assert weights.std(axis=1).min() > 0.3, "a wrong posterior must not give equal weights"
    np.testing.assert_allclose(weights.mean(1), exact(model, x) - gap, atol=6 * weights.std() / np.sqrt(4000))
    np.testing.assert_allclose(gathered["elbos"], exact(model, x) - gap, atol=0.15)
    np.testing.assert_allclose(gathered["log_evidences"], exact(model, x), atol=0.12)
    assert abs((gathered["log_evidences"] - exact(model, x)).mean()) < 0.02
    assert gathered["effective_samples"].max() < 3600


def test_reconstruction_is_the_projection_shrunk_toward_the_mean():
    model = LinearVAE()
    x = images(model, 5)
    measured = evaluate(model, x, num_samples=1)
    weight, mean = model.weight.detach().numpy(), model.mean.numpy()
    centered = x.flatten(1).numpy() - mean
    shrink = np.linalg.inv(weight.T @ weight + model.noise**2 * np.eye(3))
    expected = (mean + centered @ weight @ shrink @ weight.T).reshape(5, 2, -1)
    np.testing.assert_allclose(
        measured.per_image[["mse/0", "mse/1"]], ((expected - x.numpy().reshape(5, 2, -1)) ** 2).mean(2), atol=1e-12
    )
