"""The effect of latents against the closed form of a linear decoder, brute force, and decoders of known effect."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal

from report_runs import digits_run
from toy_models import LinearVAE
from vaelab.evaluation import evaluate, moves
from vaelab.inference import decode_mean, embed
from vaelab.metrics.latent_effect import latent_effect
from vaelab.models import VAEConfig
from vaelab.runs.question import ask
from vaelab.runs.results import measure


class Graded(LinearVAE):
    """Red follows the first latent, green the second at half its strength; the third is not looked at."""

    def __init__(self, dtype=torch.float32):
        super().__init__(image_shape=(2, 3, 3), latent_dim=3, dtype=dtype)
        weight = torch.zeros(2, 9, 3, dtype=dtype)
        weight[0, :, 0], weight[1, :, 1] = 0.1, 0.05
        self.weight.data = weight.view(18, 3)


def pictures(model, count=50):
    random = torch.Generator().manual_seed(1)
    return torch.rand(count, *model.image_shape, generator=random, dtype=model.weight.dtype)


def test_of_a_linear_decoder_it_is_the_length_of_the_column_times_the_range_for_every_image():
    model = LinearVAE()
    x = pictures(model)
    embedding = embed(model, x)
    span = np.subtract(*[embedding.aggregate_quantile(p) for p in (0.975, 0.025)])
    columns = model.weight.detach().numpy().reshape(2, 12, 3)
    wanted = np.sqrt(np.square(columns).mean(1)).T * span[:, None]
    found = moves.latent_moves(model, embedding)
    assert found.shape == (50, 3, 2)
    np.testing.assert_allclose(found, np.broadcast_to(wanted, found.shape), rtol=1e-9)
    scores = {score.part: score for score in evaluate(model, x, metrics=["latent_effect"]).scores}
    whole = np.linalg.norm(model.weight.detach().numpy(), axis=0) * span / np.sqrt(24)
    for latent in range(3):
        assert scores[f"z{latent}"].value == pytest.approx(whole[latent], rel=1e-9)
        assert scores[f"z{latent} 1"].value == pytest.approx(wanted[latent, 1], rel=1e-9)
        assert np.ptp(scores[f"z{latent}"].interval) < 1e-9, "every image is moved alike"
    assert scores[""].value == pytest.approx(whole.mean(), rel=1e-9)


def test_one_code_after_another_says_the_same():
    torch.manual_seed(0)
    model = VAEConfig(latent_dim=3).build((2, 8, 8))
    x = torch.rand(80, 2, 8, 8)
    embedding = embed(model, x)
    found = moves.latent_moves(model, embedding, seed=4)
    rows = np.sort(np.random.default_rng(4).permutation(80)[:64])
    low, high = embedding.aggregate_quantile(0.025), embedding.aggregate_quantile(0.975)
    for place, row in enumerate(rows):
        for latent in range(3):
            ends = np.stack([embedding.loc[row]] * 2)
            ends[:, latent] = low[latent], high[latent]
            first, last = decode_mean(model, torch.from_numpy(ends))
            for channel in range(2):
                wanted = np.sqrt(np.mean((last[channel] - first[channel]) ** 2))
                assert found[place, latent, channel] == pytest.approx(wanted, rel=1e-4)
    assert moves.latent_moves(model, embedding, [2, 0], seed=4) == pytest.approx(found[:, [2, 0]], rel=1e-6)


def test_a_latent_moves_the_channel_that_follows_it_and_one_that_is_not_looked_at_moves_none():
    model = Graded()
    measured = evaluate(model, pictures(model), channels=("red", "green"), metrics=["latent_effect"])
    values = {score.part: score.value for score in measured.scores}
    span = np.subtract(*[measured.embedding.aggregate_quantile(p) for p in (0.975, 0.025)])
    assert values["z0 red"] == pytest.approx(0.1 * span[0], rel=1e-5)
    assert values["z1 green"] == pytest.approx(0.05 * span[1], rel=1e-5)
    assert values["z0 green"] == values["z1 red"] == values["z2"] == 0


def test_its_interval_holds_the_mean_over_all_images_as_often_as_it_says():
    random, held = np.random.default_rng(0), 0
    for _ in range(200):
        low, high = latent_effect(random.gamma(4.0, 0.25, size=(40, 1, 1)))[0].interval
        held += low <= 1.0 <= high
    assert 178 <= held <= 198


def test_each_image_is_moved_under_its_own_condition():
    class Conditional(Graded):
        num_conditions = 1

        def decode(self, z):
            assert self.conditions is not None
            loc = (z @ self.weight.T).view(-1, *self.image_shape) * self.conditions_of(len(z))[:, :, None, None]
            return Independent(Normal(loc, 1.0), 3)

    model, strength = Conditional(), torch.arange(1.0, 51.0)[:, None]
    x = pictures(model)
    embedding = embed(model.given(strength), x)
    found = moves.latent_moves(model.given(strength), embedding)[:, 0, 0]
    np.testing.assert_allclose(found / found[0], strength[:, 0], rtol=1e-5)
    assert moves.affordable(model.given(strength))


def test_what_is_dear_is_drawn_only_where_it_is_asked_for(monkeypatch, tmp_path):
    torch.manual_seed(0)
    model, x = VAEConfig(latent_dim=2).build((1, 8, 8)), torch.rand(20, 1, 8, 8).round()
    assert evaluate(model, x, num_samples=2).score("latent_effect").count == 20
    run = digits_run(tmp_path)
    monkeypatch.setattr(moves, "AFFORDABLE", 1.0)
    assert evaluate(model, x, num_samples=2).score("latent_effect") is None
    assert evaluate(model, x, metrics=["latent_effect"]).score("latent_effect").count == moves.FEWEST_IMAGES
    question = ask(run, num_images=20, num_samples=2)
    assert measure(run, question).score("latent_effect") is None
    assert measure(run, question, ["latent_effect"]).score("latent_effect", "z1").count == moves.FEWEST_IMAGES
    assert measure(run, question).score("latent_effect", "z1").unit == "intensity", "kept"


def test_where_there_is_nothing_to_say_the_reason_stands_there():
    assert latent_effect(np.zeros((0, 2, 1)))[0].reason == "no code was moved"
    assert latent_effect(np.full((3, 2, 1), np.nan))[0].reason == "what was drawn is not finite"
    (whole, only) = latent_effect(np.full((1, 1, 1), 0.2))
    assert (whole.value, whole.interval, only.part) == (pytest.approx(0.2), None, "z0")
    model = Graded()
    embedding = embed(model, pictures(model))
    embedding.loc[3, 1] = np.inf
    assert np.isnan(moves.latent_moves(model, embedding)).all()
