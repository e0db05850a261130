"""What holds for every penalty."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from toy_models import ImagesOf
from vaelab.catalogue import members
from vaelab.errors import InputError
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties import Encoded, Penalty
from vaelab.schedules import time_of
from vaelab.settings.fields import field_docs
from vaelab.settings.record import from_record, to_record

SHAPE = (1, 8, 8)
SMALL = {"encoder": MLPEncoder(hidden=(16,)), "decoder": MLPDecoder(hidden=(16,))}
SETTINGS = {"guidance": {"rows": (0, 2), "anchors": ((0.0, 1.0, 0.5), (2.0, -1.0, 0.0))}}
"""Of members that have to be told something."""


@pytest.fixture(scope="module")
def images():
    return torch.rand(7, *SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=members(Penalty))
def penalty(request):
    return members(Penalty)[request.param](**SETTINGS.get(request.param, {}))


@pytest.fixture
def vae():
    torch.manual_seed(1)
    return VAEConfig(latent_dim=3, **SMALL).build(SHAPE)


def encoded_by(model, x):
    torch.manual_seed(2)
    q = model.encode(x)
    return Encoded(x, q, q.rsample(), model.prior)


def companion_of(penalty, model, images, source_shape=SHAPE):
    torch.manual_seed(3)
    return penalty.build(model, ImagesOf(images), source_shape)


def gradients(module):
    return [p.grad for p in module.parameters() if p.grad is not None]


def test_it_says_what_it_is_and_where_it_comes_from(penalty):
    assert penalty.__doc__.splitlines()[0].endswith(".")
    assert "*Source*" in penalty.__doc__
    assert all(field_docs(type(penalty)).get(name) for name in vars(penalty))
    assert from_record(Penalty, to_record(penalty)) == penalty


def test_its_cost_is_one_number_or_one_per_image_and_its_reports_are_cut_off(penalty, vae, images):
    charge = penalty(vae, encoded_by(vae, images), companion_of(penalty, vae, images), time_of(0))
    assert charge.cost.shape in ((), (7,))
    assert charge.cost.isfinite().all()
    assert charge.reports
    for value in charge.reports.values():
        assert not (torch.is_tensor(value) and value.requires_grad)
        assert np.isfinite(float(value)), "one number"


def test_its_cost_moves_the_encoder_and_no_frozen_companion(penalty, vae, images):
    companion = companion_of(penalty, vae, images).requires_grad_(False)
    penalty(vae, encoded_by(vae, images), companion, time_of(0)).cost.mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in vae.encoder.parameters())
    assert any(p.grad.abs().sum() > 0 for p in vae.encoder.parameters())
    assert not gradients(companion)


def has_weights(penalty, model, images):
    return bool(list(companion_of(penalty, model, images).parameters()))


def test_some_companions_have_weights_and_some_have_none(vae, images):
    found = {has_weights(members(Penalty)[name](**SETTINGS.get(name, {})), vae, images) for name in members(Penalty)}
    assert found == {True, False}


def test_a_companion_has_weights_if_and_only_if_there_is_something_to_learn(penalty, vae, images):
    loss = penalty.critic_loss(encoded_by(vae, images).detached(), companion_of(penalty, vae, images))
    assert (loss is not None) == has_weights(penalty, vae, images)
    assert loss is None or (loss.shape == () and loss.isfinite() and loss.requires_grad)


def test_what_its_companion_learns_moves_all_of_it_and_not_the_model(penalty, vae, images):
    companion = companion_of(penalty, vae, images)
    loss = penalty.critic_loss(encoded_by(vae, images).detached(), companion)
    if loss is not None:
        loss.backward()
    assert not gradients(vae)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in companion.parameters())


def told_by(penalty, model, encoded, companion):
    """What the penalty says of a batch by a companion; any noise is the same."""
    torch.manual_seed(7)
    with torch.no_grad():
        return penalty(model, encoded, companion, time_of(0)).cost


def test_its_companion_learns_or_is_the_same_whenever_it_is_asked(penalty, vae, images):
    """Nine steps of the loop's own kind. One with weights learns, and then says something else of the same batch; one
    without has nothing to learn: it stays as it is, and so does what it says."""
    companion, encoded = companion_of(penalty, vae, images), encoded_by(vae, images)
    before, said = copy.deepcopy(companion.state_dict()), told_by(penalty, vae, encoded, companion)
    learn, losses = list(companion.parameters()), []
    optimizer = torch.optim.Adam(learn or [torch.zeros(1, requires_grad=True)], 1e-3)
    for _ in range(9):
        loss = penalty.critic_loss(encoded.detached(), companion)
        losses.append(0.0 if loss is None else loss.item())
        optimizer.zero_grad()
        if loss is not None:
            loss.backward()
        optimizer.step()
    moved = [name for name, value in companion.state_dict().items() if not torch.equal(value, before[name])]
    assert sorted(moved) == sorted(name for name, _ in companion.named_parameters())
    assert torch.equal(told_by(penalty, vae, encoded, companion), said) == (not learn)
    assert (sum(losses[-3:]) < sum(losses[:3])) == bool(learn)


def test_its_noise_is_that_of_torch(penalty, vae, images):
    values = []
    for _ in range(2):
        encoded, companion = encoded_by(vae, images), companion_of(penalty, vae, images)
        torch.manual_seed(4)
        loss = penalty.critic_loss(encoded.detached(), companion)
        values.append((penalty(vae, encoded, companion, time_of(0)).cost.mean(), 0.0 if loss is None else loss))
    assert values[0] == values[1]


def test_a_companion_read_back_says_the_same(penalty, vae, images):
    first, encoded = companion_of(penalty, vae, images), encoded_by(vae, images)
    torch.manual_seed(5)
    second = penalty.build(vae, ImagesOf(images), SHAPE)
    second.load_state_dict(first.state_dict())
    costs = []
    for companion in (first, second):
        torch.manual_seed(6)
        costs.append(penalty(vae, encoded, companion, time_of(0)).cost)
    assert torch.equal(*costs)


def test_held_out_images_are_judged_even_one_alone(penalty, vae, images):
    companion = companion_of(penalty, vae, images)
    with torch.no_grad():
        for x in (images, images[:2], images[:1]):
            assert penalty(vae, encoded_by(vae, x), companion, None).cost.isfinite().all()


@pytest.mark.parametrize("embed", ["single", "double"])
def test_it_takes_a_second_stage(penalty, images, embed):
    torch.manual_seed(1)
    stages = {"first": VAEConfig(latent_dim=5, **SMALL), "second": VAEConfig(latent_dim=3, **SMALL)}
    model = TwoStageConfig(embed=embed, **stages).build(SHAPE)
    objective = TwoStageObjective()
    encoded = objective.encode(model, images, objective.draw_noise(model, len(images))).second
    companion = companion_of(penalty, model, images, model.coded_shape)
    penalty(model, encoded, companion, time_of(0)).cost.mean().backward()
    assert sum(grad.abs().sum() for grad in gradients(model.top.encoder)) > 0
    assert penalty.critic_loss(encoded.detached(), companion) is not None or not list(companion.parameters())


@pytest.mark.parametrize("weight", [-1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("name", members(Penalty))
def test_no_weight_below_zero(name, weight):
    with pytest.raises(InputError, match=rf"^weight should be .*0 or more and finite.*, got {weight}\."):
        members(Penalty)[name](weight=weight, **SETTINGS.get(name, {}))
