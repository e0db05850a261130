"""The mutual-information penalty: what it costs, what it reports, and where its gradients go."""

from __future__ import annotations

from math import log

import pytest
import torch

from toy_models import ImagesOf
from vaelab.bounds import Bound
from vaelab.bounds.info_nce import InfoNCE
from vaelab.bounds.interpolated import Interpolated
from vaelab.bounds.nwj import NWJ
from vaelab.bounds.smile import Smile
from vaelab.catalogue import members
from vaelab.critics import Critic
from vaelab.critics.concatenated import ConcatenatedCritic
from vaelab.critics.separable import SeparableCritic
from vaelab.errors import InputError
from vaelab.models import VAEConfig
from vaelab.penalties import Encoded, Penalty
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.schedules import time_of
from vaelab.settings.record import from_record, to_record


def encoded(model, count=6):
    x = torch.rand(count, 1, 8, 8)
    q = model.encode(x)
    return Encoded(x, q, q.rsample(), model.prior)


def start(penalty, source_shape=(1, 8, 8)):
    torch.manual_seed(0)
    model = VAEConfig(latent_dim=3).build((1, 8, 8))
    return model, penalty.build(model, ImagesOf(torch.zeros(0, 1, 8, 8), 100), source_shape)


def gradients(module):
    return [p.grad is not None and bool((p.grad != 0).any()) for p in module.parameters()]


@pytest.fixture(params=[(b, c) for b in members(Bound) for c in members(Critic)], ids="-".join)
def penalty(request):
    bound, critic = request.param
    return MutualInformation(bound=members(Bound)[bound](), critic=members(Critic)[critic]())


def test_the_cost_moves_the_encoder_and_not_the_frozen_critic(penalty):
    model, companion = start(penalty)
    companion.requires_grad_(False)
    charge = penalty(model, encoded(model), companion, t=time_of(3))
    charge.cost.backward()
    assert all(gradients(model.encoder))
    assert not any(gradients(companion))


def test_the_critics_loss_moves_all_of_the_critic_and_nothing_of_the_model(penalty):
    model, companion = start(penalty)
    penalty.critic_loss(encoded(model).detached(), companion).backward()
    assert all(gradients(companion))
    assert not any(gradients(model))


def test_the_cost_is_minus_the_bound_in_nats_with_the_surrogates_gradient(penalty):
    model, companion = start(penalty)
    batch = encoded(model)
    charge = penalty(model, batch, companion, t=time_of(0))
    scores = companion.critic(batch.source, batch.z)
    assert charge.cost.item() == pytest.approx(-companion.estimator(scores).item(), abs=1e-6)
    assert charge.reports["mutual_information"].item() == pytest.approx(-charge.cost.item(), abs=1e-6)
    (expected,) = torch.autograd.grad(-penalty.bound.build().surrogate(scores), batch.z)
    (found,) = torch.autograd.grad(charge.cost, batch.z)
    torch.testing.assert_close(found, expected)


def test_held_out_images_leave_the_companion_as_it_was(penalty):
    model, companion = start(penalty)
    batch = encoded(model).detached()
    penalty(model, batch, companion, t=time_of(0))
    before = {name: value.clone() for name, value in companion.state_dict().items()}
    charge = penalty(model, batch, companion, t=None)
    assert not charge.cost.requires_grad
    assert charge.cost.item() == pytest.approx(-charge.reports["mutual_information"].item())
    assert all(value.equal(before[name]) for name, value in companion.state_dict().items())


def test_the_ceiling_stands_beside_the_value_where_there_is_one():
    penalty = MutualInformation(bound=InfoNCE())
    model, companion = start(penalty)
    charge = penalty(model, encoded(model, 32), companion, t=time_of(0))
    assert charge.reports["mutual_information_ceiling"] == pytest.approx(3.4657, abs=1e-4)
    few = MutualInformation(bound=InfoNCE(), critic=ConcatenatedCritic(negatives=3))
    model, companion = start(few)
    assert few(model, encoded(model, 32), companion, time_of(0)).reports["mutual_information_ceiling"] == pytest.approx(
        1.3863, abs=1e-4
    )
    none = MutualInformation(bound=NWJ())
    model, companion = start(none)
    assert set(none(model, encoded(model), companion, time_of(0)).reports) == {"mutual_information"}


def test_one_image_is_refused_in_training_and_shows_nothing_on_held_out_images(penalty):
    model, companion = start(penalty)
    with pytest.raises(InputError, match="the batch should hold at least 2 images for mutual information, got 1"):
        penalty(model, encoded(model, 1), companion, t=time_of(0))
    charge = penalty(model, encoded(model, 1), companion, t=None)
    assert charge.cost.item() == 0
    assert charge.reports == {"mutual_information": 0.0}


def test_it_is_of_the_latents_of_a_first_stage_too():
    penalty = MutualInformation()
    model, companion = start(penalty, source_shape=(7,))
    first = torch.randn(6, 7, requires_grad=True)
    q = model.encode(torch.rand(6, 1, 8, 8))
    penalty(model, Encoded(first, q, q.rsample(), model.prior), companion, t=time_of(0)).cost.backward()
    assert (first.grad != 0).any()


@pytest.mark.parametrize("critic", [SeparableCritic(hidden=(64,)), ConcatenatedCritic(hidden=(100, 50))], ids=type)
@pytest.mark.parametrize("bound", [InfoNCE(), Interpolated(), Smile()], ids=type)
def test_its_reward_raises_the_information_and_stays_steady(bound, critic):
    """Encoder and critic alone, with no rate to hold them back: from codes that are noise to codes that tell apart."""
    penalty = MutualInformation(bound=bound, critic=critic)
    model, companion = start(penalty)
    x = torch.rand(16, 1, 8, 8).round()
    model_optimizer = torch.optim.Adam(model.encoder.parameters(), lr=1e-3)
    critic_optimizer = torch.optim.Adam(companion.parameters(), lr=1e-3)
    found = []
    for step in range(200):
        q = model.encode(x)
        batch = Encoded(x, q, q.rsample(), model.prior)
        companion.requires_grad_(False)
        charge = penalty(model, batch, companion, time_of(step))
        model_optimizer.zero_grad()
        charge.cost.backward()
        model_optimizer.step()
        companion.requires_grad_(True)
        critic_optimizer.zero_grad()
        penalty.critic_loss(batch.detached(), companion).backward()
        critic_optimizer.step()
        found.append(charge.reports["mutual_information"].item())
    assert sum(found[:10]) / 10 < 0.2
    assert min(found) > -1
    assert sum(found[-10:]) / 10 > 0.8 * min(log(16), bound.ceiling(critic.num_negatives(16)))


def test_a_record_holds_it_whole():
    penalty = MutualInformation(weight=0.5, bound=InfoNCE(), critic=SeparableCritic(hidden=(8,), embedding_dim=4))
    assert from_record(Penalty, to_record(penalty)) == penalty


def test_a_negative_weight_is_refused():
    with pytest.raises(InputError, match=r"^weight should be 0 or more and finite, got -1"):
        MutualInformation(weight=-1.0)
