"""A step is a pure function of tensors, and the loop trains whatever is written as one."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from vaelab.data import Intensity
from vaelab.data.feed import Feed
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.capacity import Capacity
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.importance_weighted import ImportanceWeighted
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties.factor import Factor
from vaelab.penalties.guidance import Guidance
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.penalties.total_correlation import TotalCorrelation
from vaelab.schedules import time_of
from vaelab.training import Batches, Choices, ObjectiveStep, Step, Training, begin, begin_step, train, validate
from vaelab.training.checkpoint import load_checkpoint, save_checkpoint
from vaelab.training.step import Outcome, noise_seed, seed_noise

PLAIN = Choices(threads=1)
TRAINING = Training(batch_size=16, num_steps=12, validate_every=4, learning_rate=1e-2)
MLP = VAEConfig(latent_dim=3, encoder=MLPEncoder(hidden=(8,)), decoder=MLPDecoder(hidden=(8,)))
CONV = VAEConfig(
    latent_dim=2, encoder=ConvEncoder(widths=(4, 4), norm="none"), decoder=ConvDecoder(widths=(4, 4), norm="none")
)
"""Batch normalisation counts the batches that it has seen, and mixes the images of one."""
BOTH = TwoStageConfig(first=replace(MLP, latent_dim=5), second=MLP)
CRITICS = ELBO(penalties=(MutualInformation(), Factor(hidden=(8,)), TotalCorrelation()))
KINDS = {
    "elbo": (MLP, ELBO(warm_up_steps=9)),
    "convolutions": (CONV, ELBO()),
    "several samples": (MLP, ImportanceWeighted(num_samples=3)),
    "capacity": (MLP, Capacity(num_steps=9)),
    "critics": (MLP, CRITICS),
    "guided": (MLP, ELBO(penalties=(Guidance(rows=(2,), anchors=((0.0, 1.0, 2.0),)),))),
    "two stages": (BOTH, TwoStageObjective(first=CRITICS, second=CRITICS)),
}
OF_AN_IMAGE_ALONE = ["elbo", "convolutions", "several samples", "guided"]
"""Those whose terms of an image do not depend on the others of its batch."""


@pytest.fixture(scope="module")
def batches():
    """Images of two kinds, bright on the left or on the right; the kind is their condition."""
    random = np.random.default_rng(0)
    kinds = random.integers(2, size=80)
    images = random.integers(0, 160, (80, 1, 8, 8), dtype=np.uint8)
    images[kinds == 0, :, :, :4] += 60
    images[kinds == 1, :, :, 4:] += 60
    feed = Feed(images, Intensity(lo=(0.0,), hi=(255.0,), square_root=False))
    return Batches(
        feed=feed, train=np.arange(60), validation=np.arange(60, 80), conditions=np.eye(2, dtype=np.float32)[kinds]
    )


@pytest.fixture(scope="module")
def images_alone(batches):
    return replace(batches, conditions=None)


@pytest.fixture
def step(request, images_alone):
    torch.manual_seed(0)
    config, objective = KINDS[request.param]
    model = config.build((1, 8, 8))
    return ObjectiveStep(model, objective, objective.build(model, images_alone).requires_grad_(False))


def state_of(step):
    weights = {name: value.clone() for name, value in step.state_dict().items()}
    return {**weights, "random": torch.get_rng_state(), "training": torch.tensor([m.training for m in step.modules()])}


def computed(step, *inputs):
    terms = step(*inputs).terms
    return {(stage, name): values for stage, own in terms.items() for name, values in own.items()}


def equal(a, b):
    assert a.keys() == b.keys()
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("t", [time_of(0), time_of(5), None], ids=["first", "sixth", "held out"])
@pytest.mark.parametrize("step", KINDS, indirect=True)
def test_it_is_a_function_of_its_inputs_and_weights_and_leaves_both_alone(step, t, images_alone):
    x, noise = images_alone.feed(np.arange(6)), step.draw_noise(6, torch.device("cpu"))
    weight, given = torch.linspace(0, 2, 6), (x.clone(), noise.clone())
    before = state_of(step)
    once = computed(step, x, None, weight, t, noise)
    torch.rand(3)
    again = computed(step, x, None, weight, t, noise)
    torch.set_rng_state(before["random"])
    assert equal(once, again)
    assert equal(computed(copy.deepcopy(step), x, None, weight, t, noise), once)
    assert equal(state_of(step), before)
    assert torch.equal(x, given[0])
    assert torch.equal(noise, given[1])
    assert all(parameter.grad is None for parameter in step.parameters())
    assert not equal(computed(step, x, None, weight, t, noise + 1), once), "the noise is what is random"


@pytest.mark.parametrize("step", KINDS, indirect=True)
def test_it_draws_nothing(step, images_alone):
    x, noise = images_alone.feed(np.arange(6)), step.draw_noise(6, torch.device("cpu"))
    before = torch.get_rng_state()
    step(x, None, None, time_of(1), noise)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("step", ["elbo", "capacity"], indirect=True)
def test_time_comes_in_as_a_tensor(step, images_alone):
    """So a step that was captured once serves all times; at the end of the schedules it is that of held-out images."""
    x, noise = images_alone.feed(np.arange(6)), step.draw_noise(6, torch.device("cpu"))
    losses = [step(x, None, None, t, noise).terms[""]["loss"] for t in (time_of(0), time_of(4), time_of(9), None)]
    assert torch.equal(losses[2], losses[3])
    assert not torch.equal(losses[0], losses[1])
    assert not torch.equal(losses[1], losses[2])


@pytest.mark.parametrize("step", KINDS, indirect=True)
def test_noise_is_drawn_for_the_whole_batch_in_blocks_of_one_sample_each(step):
    torch.manual_seed(4)
    noise = step.draw_noise(7, torch.device("cpu"))
    torch.manual_seed(4)
    by_hand = [torch.randn(7, dim) for dim in step.noise_dims]
    assert torch.equal(noise, torch.cat(by_hand, 1))


@pytest.mark.parametrize("step", OF_AN_IMAGE_ALONE, indirect=True)
def test_an_image_has_the_noise_of_its_place_so_a_part_of_a_batch_has_the_terms_of_the_whole(step, images_alone):
    x, noise = images_alone.feed(np.arange(12)), step.draw_noise(12, torch.device("cpu"))
    weight = torch.linspace(0, 2, 12)
    whole = computed(step, x, None, weight, time_of(3), noise)
    for part in (slice(0, 5), slice(5, 12)):
        own = computed(step, x[part], None, weight[part], time_of(3), noise[part])
        for name, values in own.items():
            torch.testing.assert_close(values, whole[name][part], rtol=1e-5, atol=1e-4)
    shifted = computed(step, x, None, weight, time_of(3), noise.roll(1, 0))
    assert not torch.allclose(shifted["", "elbo"], whole["", "elbo"], atol=1e-3)


def test_the_loop_hands_in_the_noise_of_the_step_and_the_images_place(images_alone):
    """Of the whole batch, from the seed and the step alone, whichever images stand there."""
    seen = []

    class Watched(ObjectiveStep):
        def forward(self, x, condition, weight, t, noise):
            if t is not None:
                seen.append((int(t), noise))
            return super().forward(x, condition, weight, t, noise)

    for rows in (np.arange(60), np.arange(60)[::-1].copy()):
        torch.manual_seed(0)
        state = begin_step(Watched(MLP.build((1, 8, 8)), ELBO(), nn.ModuleDict()), images_alone, TRAINING)
        list(train(state, replace(images_alone, train=rows), TRAINING, PLAIN, seed=5))
    assert [step for step, _ in seen] == [*range(12)] * 2
    for step, noise in seen:
        generator = torch.Generator().manual_seed(noise_seed(5, step))
        assert torch.equal(noise, torch.randn(16, 3, generator=generator))
    assert len({noise.sum().item() for _, noise in seen}) == 12


# A classifier, which has no latents, likelihood or prior


class Classifier(Step):
    """Tells an image's kind, which comes in as its condition; the noise jitters its features while it trains."""

    noise_dims = (4,)

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.ReLU(), nn.Linear(4, 2))
        self.companions = nn.Module()

    def forward(self, x, condition, weight, t, noise):
        features = self.model[:-1](x)
        logits = self.model[-1](features if t is None else features + 0.1 * noise)
        kinds = condition.argmax(1)
        loss = cross_entropy(logits, kinds, reduction="none")
        return Outcome({"": {"loss": loss, "correct": (logits.argmax(1) == kinds).float()}}, None)


def test_a_classifier_is_trained_by_the_same_loop(batches):
    training = replace(TRAINING, num_steps=150, validate_every=50)
    state = begin_step(Classifier(), batches, training)
    before = validate(state.computes, batches)[""]
    found = [dict(state.validation[""]) for _ in train(state, batches, training, PLAIN) if state.validation]
    assert len(found) == 3
    assert found[-1]["loss"] < found[0]["loss"] < before["loss"]
    assert found[-1]["correct"] > 0.95 > before["correct"]
    assert state.best_step == 150
    assert state.critic_optimizer is None
    assert state.model.training, "as it was before it was validated"


def test_its_weights_are_those_of_a_loop_written_out_in_torch(batches):
    state = begin_step(Classifier(), batches, TRAINING)
    logged = [dict(state.terms[""]) for _ in train(state, batches, TRAINING, PLAIN, seed=3, log_every=1)]

    plain = Classifier()
    first, last = plain.model[1], plain.model[3]
    images, kinds = batches.feed(np.arange(80)), batches.conditions.argmax(1)
    optimizer = torch.optim.Adam(plain.parameters(), lr=1e-2, fused=True)
    for step in range(12):
        epoch, position = divmod(step, 60 // 16)
        order = np.random.default_rng([3, epoch]).permutation(60)
        rows = order[16 * position : 16 * position + 16]
        noise = torch.randn(16, 4, generator=torch.Generator().manual_seed(noise_seed(3, step)))
        features = torch.relu(images[rows].flatten(1) @ first.weight.T + first.bias) + 0.1 * noise
        logits = features @ last.weight.T + last.bias
        loss = (logits.logsumexp(1) - logits[torch.arange(16), torch.from_numpy(kinds[rows])]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert logged[step]["loss"] == pytest.approx(loss.item(), rel=1e-4)
    for name, value in plain.model.state_dict().items():
        torch.testing.assert_close(state.model.state_dict()[name], value, rtol=1e-3, atol=1e-5)
        assert not torch.equal(value, Classifier().model.state_dict()[name]), "it has moved"


@pytest.mark.parametrize("at", [2, 3, 7])
def test_it_is_resumed_in_the_middle_bit_for_bit(at, batches, tmp_path):
    whole = begin_step(Classifier(), batches, TRAINING)
    lines = [(whole.step, whole.terms, whole.validation) for _ in train(whole, batches, TRAINING, PLAIN, 0, 5)]

    stopped = begin_step(Classifier(), batches, TRAINING)
    for _ in train(stopped, batches, TRAINING, PLAIN, log_every=5):
        if stopped.step == at:
            save_checkpoint(stopped, tmp_path / "last.safetensors")
            break
    fresh = Classifier()
    for parameter in fresh.parameters():
        parameter.data.fill_(7.0)
    resumed = begin_step(fresh, batches, TRAINING)
    load_checkpoint(resumed, tmp_path / "last.safetensors")
    again = [(resumed.step, resumed.terms, resumed.validation) for _ in train(resumed, batches, TRAINING, PLAIN, 0, 5)]
    assert resumed.step == whole.step == 12
    assert again == lines[at:]
    assert equal(resumed.model.state_dict(), whole.model.state_dict())
    for mine, other in zip(*(s.optimizer.state_dict()["state"].values() for s in (resumed, whole)), strict=True):
        assert equal(mine, other)


class Guesser(Classifier):
    """With a companion that guesses how sure the classifier is of each image, from its answer."""

    def __init__(self):
        super().__init__()
        self.companions = nn.Linear(2, 1)
        self.companions.requires_grad_(False)

    def forward(self, x, condition, weight, t, noise):
        terms, _ = super().forward(x, condition, weight, t, noise)
        return Outcome(terms, (self.model(x).detach(), terms[""]["loss"].detach()))

    def critic_loss(self, encoded):
        answers, losses = encoded
        return (self.companions(answers)[:, 0] - losses).square().mean()


def test_what_learns_beside_a_classifier_has_a_step_of_its_own(batches):
    alone, beside = (begin_step(kind(), batches, TRAINING) for kind in (Classifier, Guesser))
    before = {name: value.clone() for name, value in beside.companions.state_dict().items()}
    for state in (alone, beside):
        list(train(state, batches, TRAINING, PLAIN))
    assert equal(alone.model.state_dict(), beside.model.state_dict())
    assert all(not torch.equal(value, before[name]) for name, value in beside.companions.state_dict().items())
    assert not any(parameter.requires_grad for parameter in beside.companions.parameters())


def test_a_step_is_told_when_its_preparation_is_over(batches):
    told = []

    class Prepared(Classifier):
        pretrain_steps = 5

        def start(self, images, seed):
            told.append(("start", len(images.train), seed))

        def forward(self, x, condition, weight, t, noise):
            told.append(self.preparing)
            return super().forward(x, condition, weight, t, noise)

    unjudged = replace(batches, validation=np.arange(0))
    state = begin_step(Prepared(), unjudged, TRAINING)
    list(train(state, unjudged, TRAINING, PLAIN, seed=2))
    assert told == [True] * 5 + [("start", 60, 2)] + [False] * 7


def test_an_objective_begins_by_the_same_door(images_alone):
    torch.manual_seed(0)
    model, objective = MLP.build((1, 8, 8)), ELBO(autoencoder_steps=3, warm_up_steps=2)
    state = begin(model, objective, images_alone, TRAINING, seed=1)
    assert isinstance(state.computes, ObjectiveStep)
    assert state.computes.pretrain_steps == 3
    assert (state.computes.model, state.computes.objective) == (model, objective)
    seed_noise(1, 0)
    drawn = state.computes.draw_noise(4, torch.device("cpu"))
    seed_noise(1, 0)
    assert torch.equal(drawn, objective.draw_noise(model, 4))
