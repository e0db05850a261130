"""The gaps between log p(x) and the ELBO, where all three are known; annealing against the exact log p(x)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch.distributions import kl_divergence

from toy_models import CurvedVAE, LinearVAE
from vaelab.errors import InputError
from vaelab.evaluation import annealed, measure_gaps
from vaelab.inference import Search

SEARCH = Search(num_steps=400, patience=400, num_samples=20, learning_rate=0.03)


def drawn(model: LinearVAE, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images that the model made, and the codes that it made them of."""
    random = torch.Generator().manual_seed(0)
    z = torch.randn(count, model.latent_dim, generator=random).to(model.weight)
    x = model.mean + z @ model.weight.T + model.noise * torch.randn(count, len(model.mean), generator=random)
    return x.detach().view(count, *model.image_shape).to(model.weight), z


def exact(model: LinearVAE, x: torch.Tensor) -> np.ndarray:
    mean, covariance = model.mean.double().numpy(), model.covariance().detach().double().numpy()
    return multivariate_normal(mean, covariance).logpdf(x.flatten(1).double().numpy())


def small(**settings) -> LinearVAE:
    """Pixels around the middle, so that nearly all that it draws lies in [0, 1]."""
    model = LinearVAE(image_shape=(1, 3, 3), latent_dim=2, noise=0.05, dtype=torch.float32, **settings)
    with torch.no_grad():
        model.weight.mul_(0.1)
        model.mean.fill_(0.5)
    return model


@pytest.mark.parametrize("reference", ["importance", "annealing"])
def test_the_gaps_of_a_wrong_encoder_are_its_divergence_and_nothing(reference):
    wrong, right = small(shift=0.8, stretch=1.5), small()
    x, _ = drawn(wrong, 30)
    found, _ = measure_gaps(wrong, x, SEARCH, num_samples=1000, num_reference=200, reference=reference)
    with torch.no_grad():
        divergence = kl_divergence(wrong.encode(x), right.encode(x)).numpy()
    gaps = found.per_image
    np.testing.assert_allclose(gaps["amortisation_gap"], divergence, atol=0.25)
    assert abs(gaps["approximation_gap"].mean()) < 0.1
    score = found.score("amortisation_gap")
    assert score.interval[0] < score.value < score.interval[1]
    assert score.value == pytest.approx(divergence.mean(), abs=0.08)


@pytest.mark.slow
def test_annealing_is_the_exact_log_likelihood_from_below_and_from_above():
    model = small()
    x, z = drawn(model, 20)
    low = annealed(model, x, num_temperatures=200, num_chains=16)
    high = annealed(model, x, num_temperatures=200, num_chains=16, codes=z.numpy())
    np.testing.assert_allclose(low, exact(model, x), atol=0.2)
    np.testing.assert_allclose(high, exact(model, x), atol=0.5)
    assert high.mean() == pytest.approx(exact(model, x).mean(), abs=0.1)
    x, z = drawn(model, 400)
    off_low = annealed(model, x, num_temperatures=3, num_chains=1) - exact(model, x)
    off_high = annealed(model, x, num_temperatures=3, num_chains=1, codes=z.numpy()) - exact(model, x)
    for off in (-off_low, off_high):
        assert off.mean() > 3 * off.std() / 20


def test_annealing_knows_a_curved_posterior():
    model = CurvedVAE()
    x = torch.rand(8, 1, 3, 3, generator=torch.Generator().manual_seed(1)).round()
    with torch.no_grad():
        truth = model.log_evidence(x).numpy()
    np.testing.assert_allclose(annealed(model, x, num_temperatures=100, num_chains=32), truth, atol=0.15)


def test_bad_numbers_get_a_sentence():
    model = small()
    x, z = drawn(model, 3)
    with pytest.raises(InputError, match="num_temperatures should be at least 1, got 0"):
        annealed(model, x, num_temperatures=0)
    with pytest.raises(InputError, match="codes should be one row of 2 for each image"):
        annealed(model, x, codes=z.numpy()[:2])
    with pytest.raises(InputError, match="num_samples should be at least 1, got 0"):
        measure_gaps(model, x, num_samples=0)
