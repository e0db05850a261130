"""Posteriors without the encoder: against the exact ones of a linear model, and against each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from vaelab.errors import InputError
from vaelab.inference import STUDY, Search, complete, infer
from vaelab.inference.complete import half
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.models import VAEConfig

SCALE = 0.2


def linear_vae(num_latents: int = 2, side: int = 4):
    """A VAE whose decoder is x = 0.5 + W z with Gaussian pixels of a fixed scale: its posterior is known exactly."""
    likelihood = GaussianLikelihood(scale=SCALE, loc="identity")
    vae = VAEConfig(latent_dim=num_latents, likelihood=likelihood).build((1, side, side))
    torch.manual_seed(0)
    layer = nn.Linear(num_latents, side * side)
    nn.init.normal_(layer.weight, std=0.1)
    nn.init.constant_(layer.bias, 0.5)
    vae.decoder = nn.Sequential(layer, nn.Unflatten(1, (1, side, side)))
    return vae, layer.weight.detach().double()


def exact(weight, x, seen=slice(None)):
    """Mean and covariance of p(z | x) from some of the pixels."""
    w = weight[seen]
    precision = torch.eye(w.shape[1], dtype=torch.float64) + w.T @ w / SCALE**2
    covariance = precision.inverse()
    return (x.double().flatten(1)[:, seen] - 0.5) @ w @ covariance / SCALE**2, covariance


@pytest.fixture
def images():
    torch.manual_seed(1)
    _, weight = linear_vae()
    z = torch.randn(40, 2)
    return (0.5 + z @ weight.float().T + 0.05 * torch.randn(40, 16)).clamp(0, 1).view(40, 1, 4, 4)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_full_posterior_of_a_linear_model_is_found(optimizer, images):
    vae, weight = linear_vae()
    rate = {"adam": 0.05, "sgd": 0.02}[optimizer]
    search = Search(
        optimizer=optimizer, learning_rate=rate, num_steps=600, patience=600, num_samples=20, covariance="full"
    )
    found = infer(vae, images, search)
    mean, covariance = exact(weight, images)
    spread = covariance.diagonal().sqrt()
    assert np.abs((found.loc - mean.numpy()) / spread.numpy()).mean() < 0.15
    q = found.posterior()
    best = MultivariateNormal(mean.float(), covariance.float())
    assert kl_divergence(q, best).mean() < 0.03


def test_independent_latents_find_the_best_diagonal(images):
    """The best diagonal Gaussian has the means of the exact posterior, and the inverse diagonal of its precision."""
    vae, weight = linear_vae()
    found = infer(vae, images, Search(num_steps=500, patience=500, num_samples=20))
    mean, covariance = exact(weight, images)
    best = Independent(Normal(mean.float(), covariance.inverse().diagonal().rsqrt().float().expand_as(mean)), 1)
    assert kl_divergence(found.posterior(), best).mean() < 0.03


def test_only_visible_pixels_count(images):
    vae, weight = linear_vae()
    visible = half("left", (1, 4, 4))
    search = Search(num_steps=500, patience=500, num_samples=20, covariance="full")
    found = infer(vae, images, search, visible=visible)
    mean, covariance = exact(weight, images, visible.ravel())
    assert kl_divergence(found.posterior(), MultivariateNormal(mean.float(), covariance.float())).mean() < 0.05
    short = Search(num_steps=20)
    other = torch.where(torch.from_numpy(visible), images, torch.rand_like(images))
    np.testing.assert_array_equal(
        infer(vae, other, short, visible=visible).loc, infer(vae, images, short, visible=visible).loc
    )


def test_images_stop_one_by_one_and_keep_their_best(images):
    vae, _ = linear_vae()
    left = []
    found = infer(vae, images, Search(num_steps=400, patience=10), on_step=left.append)
    assert found.num_steps.min() < found.num_steps.max() < 400
    assert sum(left) == 40
    assert (np.diff(found.curve) >= -1e-6).all()


def test_it_begins_at_the_encoder_where_asked(images):
    vae, _ = linear_vae()
    with torch.no_grad():
        q = vae.encode(images)
    found = infer(vae, images, Search(start="encoder", num_steps=1))
    np.testing.assert_allclose(found.loc, q.mean.numpy(), rtol=1e-6)
    np.testing.assert_allclose(found.embedding.scale, q.stddev.numpy(), rtol=1e-5)


def test_the_model_and_the_random_numbers_are_as_they_were(images):
    vae, _ = linear_vae()
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    vae.train()
    state = torch.random.get_rng_state()
    first = infer(vae, images, STUDY, seed=3)
    assert torch.equal(state, torch.random.get_rng_state())
    assert vae.training
    assert all(torch.equal(value, before[name]) for name, value in vae.state_dict().items())
    assert all(weight.grad is None for weight in vae.parameters())
    np.testing.assert_array_equal(first.loc, infer(vae, images, STUDY, seed=3).loc)
    assert not np.array_equal(first.loc, infer(vae, images, STUDY, seed=4).loc)


def test_a_search_that_runs_away_ends_at_its_best_finite_posterior(images):
    vae, _ = linear_vae()
    found = infer(vae, images, Search(optimizer="sgd", learning_rate=1e4, num_steps=50))
    assert np.isfinite(found.loc).all()
    assert np.isfinite(found.factor).all()


def test_conditions_stay_with_their_images_when_others_stop():
    torch.manual_seed(0)
    vae = VAEConfig(latent_dim=2).build((1, 4, 4), num_conditions=3)
    x, c = torch.rand(12, 1, 4, 4).round(), torch.eye(3).repeat(4, 1)
    search = Search(num_steps=200, patience=40, num_samples=50)
    together = infer(vae.given(c), x, search)
    assert together.num_steps.min() < together.num_steps.max()
    for i in (0, 5):
        alone = infer(vae.given(c[i : i + 1]), x[i : i + 1], search)
        np.testing.assert_allclose(alone.loc[0], together.loc[i], atol=0.3)


def test_closed_form_of_a_full_covariance_is_that_of_torch():
    torch.manual_seed(0)
    factor = torch.randn(5, 3, 3).tril(-1) + torch.diag_embed(torch.rand(5, 3) + 0.1)
    q = MultivariateNormal(torch.randn(5, 3), scale_tril=factor)
    loc, scale = torch.randn(3), torch.rand(3) + 0.5
    expected = kl_divergence(q, MultivariateNormal(loc, torch.diag(scale**2)))
    torch.testing.assert_close(kl_divergence(q, Independent(Normal(loc, scale), 1)), expected)


def test_a_completion_beats_the_blind_encoder_and_knows_the_nearest(images):
    vae, weight = linear_vae()
    search = Search(num_steps=500, learning_rate=0.02, num_samples=10, patience=500)
    done = complete(vae, images, "left", search, training_images=images.flip(0))
    mean, _ = exact(weight, images, done.visible.ravel())
    expected = 0.5 + mean @ weight.T
    apart = np.abs(done.ways["inferred"].reshape(40, 16) - expected.numpy())
    assert apart.mean() < 0.01
    assert apart.max() < 0.15
    np.testing.assert_array_equal(done.ways["nearest"], images.numpy())
    errors = done.errors()
    hidden = ~done.visible
    by_hand = ((done.ways["inferred"] - images.numpy()) ** 2)[:, hidden].mean(1)
    np.testing.assert_allclose(errors["inferred"], by_hand, rtol=1e-5)
    assert errors["inferred"].mean() < errors["encoder"].mean()
    assert errors["nearest"].max() == 0
    assert done.draws.shape == (40, 5, 1, 4, 4)


@pytest.mark.parametrize(
    ("visible", "sentence"),
    [
        (np.ones((3, 3), bool), "visible should be True or False for each pixel"),
        (np.zeros((4, 4), bool), "visible should leave some pixels to see"),
        (np.ones((4, 4), bool), "visible should hide some pixels"),
        ("middle", "visible should be one of left, right, top, bottom, got 'middle'"),
        (np.ones((4, 4)), "visible should be True or False for each pixel"),
    ],
)
def test_bad_masks_get_a_sentence(visible, sentence, images):
    with pytest.raises(InputError, match=sentence.replace("(", r"\(")):
        complete(linear_vae()[0], images, visible)
