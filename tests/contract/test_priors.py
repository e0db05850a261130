"""What holds for every prior, before and after it has begun from images and their codes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal

from toy_models import around
from vaelab.catalogue import members
from vaelab.priors import LatentPrior, Prior

SHAPE = (1, 4, 4)


@dataclass
class Made:
    """A prior at work, with the encoder that it may need."""

    module: LatentPrior
    encoder: nn.Module

    def encode(self, x):
        loc, scale = self.encoder(x.flatten(1)).chunk(2, 1)
        return Independent(Normal(loc, 0.3 + scale.abs()), 1)

    def p(self):
        return self.module(self.encode)


@pytest.fixture(params=members(Prior))
def setting(request):
    return members(Prior)[request.param]()


@pytest.fixture(params=["fresh", "started"])
def make(request, setting):
    def build(latent_dim, seed=0, kind=request.param):
        torch.manual_seed(seed)
        made = Made(setting.build(latent_dim, SHAPE), nn.Linear(16, 2 * latent_dim))
        if kind == "started":
            images = 0.1 + 0.8 * torch.rand(200, *SHAPE)
            made.module.start(images, around(0.5 + 0.7 * torch.randn(200, latent_dim)), seed=1)
        return made

    return build


def test_it_is_one_distribution_over_the_latents(make):
    p = make(3).p()
    assert p.batch_shape == ()
    assert p.event_shape == (3,)
    assert p.sample((5,)).shape == (5, 3)
    assert p.log_prob(torch.zeros(7, 3)).shape == (7,)
    assert p.log_prob(torch.zeros(4, 7, 3)).shape == (4, 7)
    assert p.log_prob(torch.zeros(7, 3)).dtype == torch.float32


def test_it_integrates_to_one(make):
    p = make(2).p()
    side = torch.linspace(-9, 9, 451)
    mass = p.log_prob(torch.cartesian_prod(side, side)).double().exp().sum().item() * (side[1] - side[0]).item() ** 2
    assert mass == pytest.approx(1, abs=1e-4)


def test_its_samples_have_its_mean_and_spread(make):
    p = make(2).p()
    torch.manual_seed(0)
    z = p.sample((20_000,))
    error = p.stddev / 20_000**0.5
    assert ((z.mean(0) - p.mean).abs() < 5 * error).all()
    torch.testing.assert_close(z.std(0), p.stddev, rtol=0.05, atol=0)


def test_its_samples_have_its_density(make):
    """Over a box, the share of the samples is the integral of the density."""
    p = make(2).p()
    torch.manual_seed(0)
    low, high = p.mean.detach() - 0.4, p.mean.detach() + 0.6
    z = p.sample((20_000,))
    share = ((z > low) & (z < high)).all(1).double().mean().item()
    sides = [torch.linspace(float(a), float(b), 401)[:-1] + (b - a) / 800 for a, b in zip(low, high, strict=True)]
    mass = p.log_prob(torch.cartesian_prod(*sides)).double().exp().mean().item() * (high - low).prod().item()
    assert share == pytest.approx(mass, abs=5 * (mass / 20_000) ** 0.5)


def test_saved_and_loaded_weights_give_the_same_density(make):
    saved, other = make(3), make(3, seed=5, kind="fresh")
    other.encoder.load_state_dict(saved.encoder.state_dict())
    z = torch.randn(50, 3)
    if list(saved.module.parameters()):
        assert not torch.equal(saved.p().log_prob(z), other.p().log_prob(z))
    other.module.load_state_dict(saved.module.state_dict())
    assert torch.equal(saved.p().log_prob(z), other.p().log_prob(z))


def test_gradients_reach_every_weight(make):
    made = make(3)
    nats = made.p().log_prob(torch.randn(50, 3)).sum()
    if nats.requires_grad:
        nats.backward()
    for name, parameter in made.module.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert (parameter.grad != 0).all(), name


def test_starting_twice_from_one_seed_is_the_same(make):
    a, b = make(2).module.state_dict(), make(2).module.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_starting_leaves_the_random_generator_alone(setting):
    module = setting.build(2, SHAPE)
    images, codes = torch.rand(100, *SHAPE), torch.randn(100, 2)
    before = torch.get_rng_state()
    module.start(images, around(codes), seed=3)
    assert torch.equal(before, torch.get_rng_state())


def test_it_says_truly_whether_it_factorises_and_needs_an_encoder(setting):
    calls = []

    def encode(x):
        calls.append(len(x))
        return Independent(Normal(torch.zeros(len(x), 2), torch.ones(len(x), 2)), 1)

    p = setting.build(2, SHAPE)(encode)
    assert setting.factorizes == isinstance(p, Independent)
    assert setting.made_of_posteriors == bool(calls)
    assert len(calls) <= 1
