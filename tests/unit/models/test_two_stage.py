"""The two-stage VAE: what study 1 meant, and what went wrong there."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from vaelab.data.feed import Feed
from vaelab.data.scaling import Intensity
from vaelab.distributions import rate
from vaelab.errors import InputError
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.schedules import time_of
from vaelab.training import Batches, Choices, Training, begin, train

FIRST = VAEConfig(latent_dim=6, encoder=MLPEncoder(hidden=(16, 9)), decoder=MLPDecoder(hidden=(8,)))
SECOND = VAEConfig(latent_dim=2, encoder=MLPEncoder(hidden=(5,)), decoder=MLPDecoder(hidden=(8,)))
INFO_MAX = ELBO(penalties=(MutualInformation(),))
TRAINING = Training(batch_size=16, num_steps=12)


@pytest.fixture(scope="module")
def batches():
    images = np.random.default_rng(0).integers(0, 256, (80, 1, 8, 8), dtype=np.uint8)
    feed = Feed(images, Intensity(lo=(0.0,), hi=(255.0,), square_root=False), "threshold")
    return Batches(feed=feed, train=np.arange(60), validation=np.arange(60, 80))


def build(embed="double", **more):
    torch.manual_seed(0)
    return TwoStageConfig(embed=embed, first=FIRST, second=SECOND, **more).build((1, 8, 8))


def run(model, objective, batches, training=TRAINING):
    state = begin(model, objective, batches, training)
    for _ in train(state, batches, training, Choices(threads=1)):
        pass
    return state


@pytest.mark.parametrize(("embed", "read"), [("single", 9), ("double", 6)])
def test_the_second_encoder_reads_the_features_or_z1(embed, read, batches):
    model, x = build(embed).eval(), batches.feed(np.arange(4))
    assert model.top.encoder[1].in_features == read
    q1, features = model.first.encode_with_features(x)
    torch.testing.assert_close(q1.mean, model.first.encode(x).mean)
    by_hand = model.top.encoder(features if embed == "single" else q1.mean)
    torch.testing.assert_close(model.encode(x).mean, by_hand[:, :2])


@pytest.mark.parametrize("embed", ["single", "double"])
def test_information_is_between_z2_and_the_image_or_z1(embed, batches):
    model, x, objective = build(embed), batches.feed(np.arange(6)), TwoStageObjective()
    noise = objective.draw_noise(model, 6)
    first, second = objective.encode(model, x, noise)
    q1 = model.first.encode(x)
    assert torch.equal(second.source, x if embed == "single" else q1.mean + q1.stddev * noise[:, :6])
    assert tuple(second.source.shape[1:]) == model.coded_shape
    assert torch.equal(first.source, x)


def test_each_stage_is_a_model(batches):
    model, x = build(), batches.feed(np.arange(4))
    assert list(model.stages()) == ["first", "second"]
    assert model.stages()["second"] is model
    assert [stage.latent_dim for stage in model.stages().values()] == [6, 2]
    for stage in model.stages().values():
        q = stage.encode(x)
        assert stage.decode(q.rsample()).log_prob(x).shape == (4,)
        assert rate(q, stage.prior).shape == (4,)


def test_the_objective_is_the_studys_sum(batches):
    model, x = build(), batches.feed(np.arange(6))
    objective = TwoStageObjective(first=ELBO(rate_weight=2), second=ELBO(rate_weight=3), first_weight=0.8)
    torch.manual_seed(1)
    terms = objective.staged(model, x, 0)
    torch.manual_seed(1)
    q1 = model.first.encode(x)
    q2 = model.top.encode(q1.rsample()[:, :, None, None])
    z1 = q1.rsample()
    z2 = q2.rsample()
    second = -model.decode(z2).log_prob(x) + 3 * rate(q2, model.prior)
    first = -model.first.decode(z1).log_prob(x) + 2 * rate(q1, model.first.prior)
    torch.testing.assert_close(terms[""]["loss"], second + 0.8 * first)
    torch.testing.assert_close(terms["first"]["loss"], first)
    torch.testing.assert_close(terms["second"]["loss"], second)
    assert terms[""].keys() == {"loss"}
    assert objective(model, x, 0).keys() == {"loss"}


def test_the_penalty_of_the_whole_is_the_weighted_sum_of_both(batches):
    model, x = build(), batches.feed(np.arange(6))
    for objective in (
        TwoStageObjective(first=INFO_MAX, second=INFO_MAX, first_weight=0.5, first_alone_steps=3),
        TwoStageObjective(first=INFO_MAX, first_weight=0.5, first_alone_steps=3),
        TwoStageObjective(second=INFO_MAX, first_weight=0.5, first_alone_steps=3),
    ):
        terms = objective.staged(model, x, 5)
        first, second = (terms[stage].get("penalty", torch.zeros(6)) for stage in ("first", "second"))
        torch.testing.assert_close(terms[""]["penalty"], second + 0.5 * first)
        preparing = objective.staged(model, x, 2)
        torch.testing.assert_close(preparing[""]["loss"], 0.5 * preparing["first"]["loss"])
        torch.testing.assert_close(preparing[""]["penalty"], 0.5 * preparing["first"].get("penalty", torch.zeros(6)))


@pytest.mark.parametrize("embed", ["single", "double"])
def test_every_parameter_of_both_stages_and_both_critics_moves(embed, batches):
    """In the original VAE2's optimiser never stepped, and VAE1's did twice."""
    model, objective = build(embed), TwoStageObjective(first=INFO_MAX, second=INFO_MAX)
    before = copy.deepcopy(model)
    begun = begin(copy.deepcopy(model), objective, batches, TRAINING)
    state = run(model, objective, batches)
    for whole, old in ((state.model, before), (state.companions, begun.companions)):
        pairs = zip(whole.named_parameters(), old.parameters(), strict=True)
        assert [name for (name, new), was in pairs if torch.equal(new, was)] == []
    assert all("mutual_information" in state.terms[stage] for stage in ("first", "second"))
    assert state.terms[""].keys() == {"loss", "penalty"}


def test_stop_gradient_leaves_the_first_stage_to_its_own_loss(batches):
    objective = TwoStageObjective()
    for stop in (True, False):
        model, x = build(stop_gradient=stop), batches.feed(np.arange(6))
        encoded = objective.encode(model, x, objective.draw_noise(model, 6)).second
        ELBO().terms(model, x, encoded, time_of(0), torch.nn.Module())[""]["loss"].mean().backward()
        moved = any(p.grad is not None and p.grad.any() for p in model.first.parameters())
        assert moved == (not stop)


def test_first_alone_steps_leave_the_second_stage_as_it_was(batches):
    objective, model = TwoStageObjective(first_alone_steps=5), build()
    top = copy.deepcopy(model.top)
    run(model, objective, batches, replace(TRAINING, num_steps=5))
    assert all(torch.equal(a, b) for a, b in zip(model.top.parameters(), top.parameters(), strict=True))
    run(model, objective, batches, replace(TRAINING, num_steps=6))
    assert not any(torch.equal(a, b) for a, b in zip(model.top.parameters(), top.parameters(), strict=True))


def test_convolutions_below_and_vectors_above():
    config = TwoStageConfig(
        embed="single", first=VAEConfig(latent_dim=5, encoder=ConvEncoder(), decoder=ConvDecoder()), second=SECOND
    )
    model = config.build((3, 16, 16))
    assert model.source_dim == 256
    assert model.encode(torch.rand(2, 3, 16, 16)).mean.shape == (2, 2)


def test_combinations_without_sense_are_refused():
    with pytest.raises(InputError, match=r"^second.encoder should be mlp, for it reads vectors, got conv"):
        TwoStageConfig(second=VAEConfig(encoder=ConvEncoder()))
    with pytest.raises(InputError, match=r"two_stage should have a model of two stages, got vae"):
        TwoStageObjective().check(VAEConfig())
    with pytest.raises(InputError, match=r"train both stages of a two-stage model, got elbo"):
        ELBO().check(TwoStageConfig())
