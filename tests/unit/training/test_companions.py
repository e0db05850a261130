"""Objectives with companions, priors that learn, noise latents: how they train."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from toy_models import LinearVAE
from vaelab.data.feed import Feed
from vaelab.data.scaling import Intensity
from vaelab.distributions import rate_per_latent
from vaelab.errors import InputError
from vaelab.models import VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.importance_weighted import ImportanceWeighted
from vaelab.penalties.factor import Factor
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.priors.mixture import MixturePrior
from vaelab.training import Batches, Choices, Training, begin, train
from vaelab.training.checkpoint import load_checkpoint, save_checkpoint
from vaelab.training.loop import validate

PLAIN = Choices(threads=1)
TRAINING = Training(batch_size=16, num_steps=12, validate_every=4)
MLP = VAEConfig(latent_dim=3, encoder=MLPEncoder(hidden=(8,)), decoder=MLPDecoder(hidden=(8,)))


@pytest.fixture(scope="module")
def batches():
    images = np.random.default_rng(0).integers(0, 256, (80, 1, 8, 8), dtype=np.uint8)
    feed = Feed(images, Intensity(lo=(0.0,), hi=(255.0,), square_root=False), "threshold")
    return Batches(feed=feed, train=np.arange(60), validation=np.arange(60, 80))


def build(config=MLP, seed=0):
    torch.manual_seed(seed)
    return config.build((1, 8, 8))


def run(objective, batches, training=TRAINING, config=MLP, between=None):
    state = begin(build(config), objective, batches, training)
    for _ in train(state, batches, training, PLAIN):
        if between:
            between(state)
    return state


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.mark.parametrize("penalty", [MutualInformation(), Factor(hidden=(16, 16))], ids=["information", "factor"])
@pytest.mark.parametrize("at", [3, 5])
def test_a_training_with_critics_resumes_bit_for_bit(penalty, at, batches, tmp_path):
    objective = ELBO(penalties=(penalty,))
    whole = run(objective, batches)
    first = begin(build(), objective, batches, TRAINING)
    for _ in train(first, batches, TRAINING, PLAIN):
        if first.step == at:
            save_checkpoint(first, tmp_path / "last.safetensors")
            break
    second = begin(build(seed=9), objective, batches, TRAINING, seed=4)
    load_checkpoint(second, tmp_path / "last.safetensors")
    for _ in train(second, batches, TRAINING, PLAIN):
        pass
    assert same(whole.model, second.model)
    assert same(whole.companions, second.companions)
    assert second.validation == whole.validation


def test_validation_between_the_steps_changes_neither_model_nor_critics(batches):
    objective = ELBO(penalties=(MutualInformation(),))

    def look(state):
        validate(state.computes, batches)

    plain, watched = run(objective, batches), run(objective, batches, between=look)
    assert same(plain.model, watched.model)
    assert same(plain.companions, watched.companions)


def test_the_models_step_leaves_the_critics_alone_and_theirs_leaves_the_model(batches):
    objective = ELBO(penalties=(MutualInformation(),))
    still = run(objective, batches, replace(TRAINING, critic_learning_rate=1e-30))
    begun = begin(build(), objective, batches, TRAINING)
    assert same(still.companions, begun.companions)
    assert not same(still.model, begun.model)
    frozen = run(objective, batches, replace(TRAINING, learning_rate=1e-30))
    assert same(frozen.model, begun.model)
    assert not same(frozen.companions, begun.companions)


def test_more_critic_steps_move_the_critics_further(batches):
    objective = ELBO(penalties=(MutualInformation(),))
    begun = begin(build(), objective, batches, TRAINING).companions

    def moved(steps):
        found = run(objective, batches, replace(TRAINING, num_steps=1, critic_steps=steps)).companions
        return sum((a - b).abs().sum() for a, b in zip(found.parameters(), begun.parameters(), strict=True))

    assert moved(3) > 2 * moved(1)


def test_adaptive_clip_makes_the_penalties_gradient_no_longer_than_the_rest(batches):
    objective = ELBO(penalties=(MutualInformation(weight=1e6),))
    moved = {}
    for clip in (True, False):
        training = replace(TRAINING, num_steps=1, adaptive_clip=clip, learning_rate=1e-12)
        moved[clip] = {n: p.grad.clone() for n, p in run(objective, batches, training).model.named_parameters()}
    plain = run(ELBO(), batches, replace(TRAINING, num_steps=1, learning_rate=1e-12)).model
    rest = {n: p.grad for n, p in plain.named_parameters()}
    norm = torch.stack([g.norm() for g in rest.values()]).norm()
    kept = torch.stack([(moved[True][n] - rest[n]).norm() for n in rest]).norm()
    free = torch.stack([(moved[False][n] - rest[n]).norm() for n in rest]).norm()
    assert kept.item() == pytest.approx(norm.item(), rel=1e-3)
    assert free > 100 * norm


def test_two_penalties_of_a_kind_are_refused():
    with pytest.raises(InputError, match=r"^penalties should be of different kinds, got factor more than once"):
        ELBO(penalties=(Factor(), Factor(weight=2.0)))


def test_one_importance_sample_is_the_elbo_and_more_are_a_tighter_bound(batches):
    vae, x = build(), batches.feed(np.arange(6))
    torch.manual_seed(1)
    one = ImportanceWeighted(num_samples=1)(vae, x)
    torch.testing.assert_close(one["loss"], -one["elbo"])
    torch.manual_seed(1)
    z = (q := vae.encode(x)).rsample()
    by_hand = vae.decode(z).log_prob(x) + vae.prior.log_prob(z) - q.log_prob(z)
    torch.testing.assert_close(one["importance_bound"], by_hand)
    with torch.no_grad():
        means = [
            torch.stack([ImportanceWeighted(num_samples=k)(vae, x)["importance_bound"] for _ in range(300)]).mean()
            for k in (1, 5, 50)
        ]
    assert means[0] < means[1] < means[2]


def test_importance_bound_of_a_linear_model_reaches_its_exact_evidence():
    """Its posterior is wrong, so the ELBO misses log p(x), which is known; enough samples make up for that."""
    model = LinearVAE(shift=0.5, stretch=1.3)
    x = torch.rand(5, *model.image_shape, dtype=torch.float64)
    exact = multivariate_normal(model.mean.numpy(), model.covariance().detach().numpy()).logpdf(x.flatten(1).numpy())
    with torch.no_grad():
        terms = ImportanceWeighted(num_samples=20_000)(model, x)
    np.testing.assert_allclose(terms["importance_bound"], exact, atol=0.1)
    assert (terms["elbo"].numpy() < exact - 0.3).all()


def test_noise_latents_carry_nothing_and_cost_nothing(batches):
    vae, x = build(replace(MLP, latent_dim=5, noise_latents=3)), batches.feed(np.arange(6))
    q = vae.encode(x)
    assert q.mean[:, 2:].abs().max() == 0
    assert (q.stddev[:, 2:] == 1).all()
    assert rate_per_latent(q, vae.prior)[:, 2:].abs().max() == 0
    assert rate_per_latent(q, vae.prior)[:, :2].min() > 0
    one, other = torch.zeros(2, 5), torch.zeros(2, 5).index_fill(1, torch.tensor([4]), 1.0)
    assert not torch.equal(vae.decode(one).mean, vae.decode(other).mean), "the decoder reads them"
    with pytest.raises(InputError, match=r"^noise_latents should be below latent_dim \(3\), got 3"):
        replace(MLP, noise_latents=3)


def test_the_mixture_begins_from_the_codes_once_the_autoencoder_is_trained(batches):
    objective = ELBO(autoencoder_steps=6)
    config = replace(MLP, prior=MixturePrior(num_components=2))
    seen = []

    def look(state):
        seen.append(copy.deepcopy(state.model._prior.state_dict()))

    state = run(objective, batches, replace(TRAINING, num_steps=8, learning_rate=1e-4), config, look)
    begun = build(config)._prior.state_dict()
    assert all(torch.equal(a, b) for a, b in zip(seen[4].values(), begun.values(), strict=True))
    codes = state.model.encode(batches.feed(batches.train)).mean
    means = state.model.prior.component_distribution.mean
    assert (means.mean(0) - codes.mean(0)).abs().max() < 3 * codes.std()
    assert not any(torch.equal(a, b) for a, b in zip(seen[6].values(), begun.values(), strict=True) if a.numel() > 1)


def test_free_bits_need_latents_with_a_rate_of_their_own():
    with pytest.raises(InputError, match=r"objective.free_bits should be 0 where a latent has no rate of its own"):
        ELBO(free_bits=1.0).check(replace(MLP, prior=MixturePrior()))
