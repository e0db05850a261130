"""What holds for every objective."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from toy_models import ImagesOf
from vaelab.catalogue import members, name_of
from vaelab.errors import InputError
from vaelab.models import Model, ModelConfig, TwoStageConfig, VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives import Objective
from vaelab.penalties import Penalty
from vaelab.penalties.dip import DIP
from vaelab.penalties.factor import Factor
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.penalties.total_correlation import TotalCorrelation
from vaelab.schedules import time_of
from vaelab.settings.record import from_record, to_record

SHAPE = (1, 8, 8)
SMALL = {"encoder": MLPEncoder(hidden=(16,)), "decoder": MLPDecoder(hidden=(16,))}
MODELS = {
    1: VAEConfig(latent_dim=3, **SMALL),
    2: TwoStageConfig(first=VAEConfig(latent_dim=5, **SMALL), second=VAEConfig(latent_dim=3, **SMALL)),
}
"""By the number of stages."""
PENALTIES: list[tuple[Penalty, ...]] = [(), (DIP(),), (MutualInformation(), Factor(hidden=(8,)), TotalCorrelation())]


@dataclass
class Made:
    """An objective with a model that it trains, and that model's images."""

    objective: Objective
    config: ModelConfig
    model: Model
    x: torch.Tensor

    def companions(self):
        torch.manual_seed(3)
        return self.objective.build(self.model, ImagesOf(self.x)).requires_grad_(False)

    def encoded(self, seed=4):
        torch.manual_seed(seed)
        return self.objective.encode(self.model, self.x, self.objective.draw_noise(self.model, len(self.x)))

    def terms(self, t=time_of(7), seed=4):  # noqa: B008
        preparing = t is not None and t < self.objective.pretrain_steps
        return self.objective.terms(
            self.model, self.x, self.encoded(seed), t, self.companions(), preparing=bool(preparing)
        )


@pytest.fixture(params=members(Objective))
def objective(request):
    return members(Objective)[request.param]()


@pytest.fixture(params=range(len(PENALTIES)), ids=["no penalty", "dip", "critics"])
def made(request, objective):
    """Each objective, with penalties in all of its stages."""
    for stage in objective.by_stage:
        for penalty in PENALTIES[request.param]:
            objective = objective.with_penalty(penalty, stage)
    config = MODELS[len(objective.by_stage)]
    torch.manual_seed(1)
    return Made(objective, config, config.build(SHAPE), (torch.rand(6, *SHAPE) > 0.5).float())


def test_it_says_what_it_minimises_of_each_stage(objective):
    assert list(objective.by_stage) == list(MODELS[len(objective.by_stage)].stages())
    for stage in objective.by_stage.values():
        assert name_of(stage) in members(Objective)
        assert list(stage.by_stage) == [""]


def test_it_is_read_back_from_its_record(made):
    assert from_record(Objective, to_record(made.objective)) == made.objective


@pytest.mark.parametrize("t", [time_of(0), time_of(7), None], ids=["first", "later", "held out"])
def test_its_terms_are_one_finite_number_per_image_of_the_whole_and_of_each_stage(made, t):
    terms = made.terms(t)
    assert set(terms) == {"", *made.objective.by_stage}
    assert next(iter(terms)) == "", "the whole comes first"
    for own in terms.values():
        assert all(values.shape == (6,) and values.isfinite().all() for values in own.values())
    for stage in made.objective.by_stage:
        assert {"loss", "elbo", "distortion", "rate"} <= set(terms[stage])
        torch.testing.assert_close(terms[stage]["elbo"], -(terms[stage]["distortion"] + terms[stage]["rate"]))
    assert "loss" in terms[""]
    assert ("penalty" in terms[""]) == any(part.penalties for part in made.objective.by_stage.values())


def test_every_term_is_explained_by_the_part_that_makes_it(made):
    for stage, own in made.terms().items():
        parts = [made.objective]
        if stage in made.objective.by_stage:
            mine = made.objective.by_stage[stage]
            parts += [mine, *mine.penalties]
        words = {name: term for part in parts for name, term in part.words.items()}
        unexplained = {name for name in own if name not in words and not name.endswith("_ceiling")}
        assert not unexplained
        assert all(words[name.removesuffix("_ceiling")].title for name in own)


def test_a_weight_of_the_loss_reaches_every_parameter_and_no_companion(made):
    companions = made.companions()
    terms = made.objective.terms(made.model, made.x, made.encoded(), time_of(7), companions)
    terms[""]["loss"].mean().backward()
    still = [name for name, p in made.model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert still == []
    assert [name for name, p in made.model.named_parameters() if not p.grad.abs().sum() > 0] == []
    assert all(p.grad is None for p in companions.parameters())


def test_what_the_companions_learn_reaches_all_of_them_and_not_the_model(made):
    companions = made.companions().requires_grad_(True)
    loss = made.objective.critic_loss(made.encoded(), companions)
    learn = list(companions.parameters())
    assert (loss is not None) == bool(learn)
    learners = [p for part in made.objective.by_stage.values() for p in part.penalties if isinstance(p, Factor)]
    assert bool(learn) == bool(learners)
    if loss is not None:
        loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in learn)
    assert all(p.grad is None for p in made.model.parameters())


def test_its_noise_is_all_that_is_random(made):
    noise = made.objective.draw_noise(made.model, 6)
    assert noise.shape == (6, sum(made.objective.noise_dims(made.model)))
    assert noise.shape[1] >= made.model.latent_dim
    losses = [made.terms(seed=seed)[""]["loss"] for seed in (4, 4, 5)]
    assert torch.equal(losses[0], losses[1])
    assert not torch.equal(losses[0], losses[2])
    companions, before = made.companions(), torch.get_rng_state()
    encoded = made.objective.encode(made.model, made.x, noise)
    made.objective.terms(made.model, made.x, encoded, time_of(1), companions)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_penalty_takes_the_place_of_one_of_its_kind_and_stands_in_the_last_stage_unless_told(objective):
    *_, last = objective.by_stage
    once = objective.with_penalty(DIP(weight=2.0))
    assert once.by_stage[last].penalties == (DIP(weight=2.0),)
    twice = once.with_penalty(Factor()).with_penalty(DIP(weight=3.0))
    assert set(twice.by_stage[last].penalties) == {Factor(), DIP(weight=3.0)}
    assert all(not part.penalties for stage, part in twice.by_stage.items() if stage != last)
    assert not any(part.penalties for part in objective.by_stage.values()), "it is left as it was"


def test_it_takes_a_model_of_its_stages_and_refuses_others_in_a_sentence(objective):
    number = len(objective.by_stage)
    objective.check(MODELS[number])
    with pytest.raises(InputError, match=r"two-stage|two stages"):
        objective.check(MODELS[3 - number])


def test_it_refuses_what_its_penalties_refuse(objective):
    config, last = MODELS[len(objective.by_stage)], VAEConfig(latent_dim=1, **SMALL)
    one = last if isinstance(config, VAEConfig) else replace(config, second=last)
    objective.check(one)
    with pytest.raises(InputError, match="latent_dim should be 2 or more"):
        objective.with_penalty(Factor()).check(one)


def test_without_schedules_the_first_step_is_the_last(made):
    plain = made.objective.without_schedules()
    assert plain.pretrain_steps == 0
    assert plain.without_schedules() == plain
    its = replace(made, objective=plain)
    losses = [its.terms(t)[""]["loss"] for t in (time_of(0), time_of(10**6), None)]
    assert torch.equal(losses[0], losses[1])
    assert torch.equal(losses[0], losses[2])


def test_its_loss_falls(made):
    """A few steps by its own gradient on the same images and noise, the companions left as they are."""
    companions, optimizer = made.companions(), torch.optim.Adam(made.model.parameters(), 1e-2)
    torch.manual_seed(5)
    noise, losses = made.objective.draw_noise(made.model, 6), []
    for _ in range(25):
        encoded = made.objective.encode(made.model, made.x, noise)
        loss = made.objective.terms(made.model, made.x, encoded, None, companions)[""]["loss"].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
