"""Objectives against their formulas, written out here a second time."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal

from toy_models import ImagesOf
from vaelab.catalogue import members
from vaelab.distributions import rate_per_latent
from vaelab.errors import InputError
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives import Objective, effective_beta
from vaelab.objectives.capacity import Capacity
from vaelab.objectives.elbo import ELBO
from vaelab.schedules import time_of


@pytest.fixture
def vae():
    torch.manual_seed(0)
    parts = {"encoder": MLPEncoder(hidden=(16,)), "decoder": MLPDecoder(hidden=(16,)), "posterior_scale": "log_scale"}
    return VAEConfig(latent_dim=3, **parts).build((1, 8, 8))


@pytest.fixture
def x():
    return (torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(1)) > 0.5).float()


SCHEDULED = {"elbo": {"warm_up_steps": 50, "autoencoder_steps": 20}, "capacity": {"num_steps": 50}, "two_stage": {
    "first": ELBO(warm_up_steps=50), "second": Capacity(num_steps=50), "first_alone_steps": 9}}  # fmt: skip


@pytest.mark.parametrize("name", members(Objective))
def test_without_schedules_the_first_step_is_like_a_held_out_image(name, vae, x):
    scheduled = members(Objective)[name](**SCHEDULED.get(name, {}))
    objective = scheduled.without_schedules()
    assert objective.pretrain_steps == 0
    model = TwoStageConfig().build((1, 8, 8)) if name == "two_stage" else vae
    losses = []
    for each, step in ((objective, 0), (objective, None), (scheduled, None), (scheduled, 0)):
        torch.manual_seed(0)
        losses.append(each(model, x, step)["loss"])
    assert torch.equal(losses[0], losses[1])
    assert torch.equal(losses[0], losses[2])
    assert torch.equal(losses[0], losses[3]) == (name not in SCHEDULED)


@pytest.mark.parametrize("name", members(Objective))
def test_every_objective_gives_its_terms_per_image_and_moves_every_parameter(name, vae, x):
    objective = members(Objective)[name]()
    model = TwoStageConfig().build((1, 8, 8)) if name == "two_stage" else vae
    terms = objective.staged(model, x, 3, objective.build(model, ImagesOf(x)))
    for stage in model.stages():
        of_stage = terms[stage]
        assert {"loss", "elbo", "distortion", "rate"} <= set(of_stage)
        assert all(values.shape == (6,) for values in of_stage.values())
        torch.testing.assert_close(of_stage["elbo"], -(of_stage["distortion"] + of_stage["rate"]))
    terms[""]["loss"].mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_elbo_is_the_log_joint_minus_the_log_posterior(vae, x):
    """Averaged over many draws, with every density written out by hand."""
    torch.manual_seed(2)
    draws = 3000
    many = x.repeat(draws, 1, 1, 1)
    with torch.no_grad():
        elbo = ELBO()(vae, many, 0)["elbo"]
        raw = vae.encoder(many)
        loc, scale = raw[:, :3], raw[:, 3:].exp()
        z = loc + scale * torch.randn_like(loc)
        p = vae.decoder(z).sigmoid()
        log_p_x = torch.where(many > 0, p.log(), (1 - p).log()).sum((1, 2, 3))
        by_hand = log_p_x + Normal(0, 1).log_prob(z).sum(1) - Normal(loc, scale).log_prob(z).sum(1)
    torch.testing.assert_close(elbo.view(draws, 6).mean(0), by_hand.view(draws, 6).mean(0), rtol=0, atol=0.1)


def test_weight_multiplies_the_rate(vae, x):
    torch.manual_seed(0)
    terms = ELBO(rate_weight=4)(vae, x, 0)
    torch.testing.assert_close(terms["loss"], terms["distortion"] + 4 * terms["rate"])


def test_weight_zero_is_the_plain_autoencoder(vae, x):
    first, second = (ELBO(rate_weight=0)(vae, x, 0)["loss"] for _ in range(2))
    assert torch.equal(first, second), "no noise in the code"
    torch.testing.assert_close(first, -vae.decode(vae.encode(x).mean).log_prob(x))


def test_free_bits_are_free(vae, x):
    cost = rate_per_latent(vae.encode(x), vae.prior).mean(0)
    threshold = cost.sort().values[1].item() + 1e-6
    torch.manual_seed(0)
    terms = ELBO(free_bits=threshold)(vae, x, 0)
    penalty = sum(max(value, threshold) for value in cost.tolist())
    torch.testing.assert_close((terms["loss"] - terms["distortion"]).mean().item(), penalty, rtol=1e-4, atol=1e-4)


def time(step: int | None):
    return None if step is None else time_of(step)


def test_schedules():
    warm = ELBO(rate_weight=2, warm_up_steps=10)
    assert [warm.weight(time(s)) for s in (0, 5, 10, 99, None)] == [0, 1, 2, 2, 2]
    cycle = ELBO(warm_up_steps=5, cycle_steps=10)
    assert [cycle.weight(time(s)) for s in (0, 4, 9, 10, 14, None)] == [0, 0.8, 1, 0, 0.8, 1]
    assert [Capacity(max_capacity=10, num_steps=4).capacity(time(s)) for s in (0, 2, 4, 9, None)] == [0, 5, 10, 10, 10]


def test_capacity_is_the_distance_of_the_mean_rate(vae, x):
    torch.manual_seed(0)
    terms = Capacity(weight=7, max_capacity=2, num_steps=4)(vae, x, 2)
    torch.testing.assert_close(terms["loss"] - terms["distortion"], (7 * abs(terms["rate"].mean() - 1)).expand(6))


def test_effective_beta_of_reductions_agrees_with_gradients():
    """The ratio of the two terms' gradients in a code that reduces as described."""
    torch.manual_seed(0)
    pixels, latents = torch.rand(8, 20, requires_grad=True), torch.rand(8, 3, requires_grad=True)
    for over_pixels in ("sum", "mean"):
        for over_latents in ("sum", "mean"):
            for rate_over_batch in ("sum", "mean"):
                error = getattr(pixels, over_pixels)(1).mean()
                cost = getattr(getattr(latents, over_latents)(1), rate_over_batch)(0)
                (error + 3 * cost).backward()
                ratio = (latents.grad[0, 0] / pixels.grad[0, 0]).item()
                pixels.grad = latents.grad = None
                beta = effective_beta(
                    rate_weight=3, num_pixels=20, latent_dim=3, batch_size=8, distortion_over_pixels=over_pixels,
                    rate_over_latents=over_latents, rate_over_batch=rate_over_batch,
                )  # fmt: skip
                assert beta == pytest.approx(ratio, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ELBO(rate_weight=-1), "^rate_weight should be 0 or more and finite, got -1."),
        (lambda: ELBO(warm_up_steps=9, cycle_steps=3), "^cycle_steps should be at least"),
        (lambda: Capacity(weight=0), "^weight should be positive and finite, got 0."),
        (lambda: Capacity(num_steps=-1), "^num_steps should be at least 0, got -1."),
        (lambda: effective_beta(num_pixels=0), "num_pixels should be positive and finite, got 0."),
    ],
)
def test_refusals(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()
