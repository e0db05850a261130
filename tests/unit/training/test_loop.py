"""The loop: what moves, what does not, when it stops, and that nothing outside it can change its numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vaelab.data import Intensity
from vaelab.data.feed import Feed
from vaelab.errors import InputError
from vaelab.machine import Watch
from vaelab.models import VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.training import Batches, Choices, Training, begin, choose, train, validate
from vaelab.training.checkpoint import check_room, load_checkpoint, load_weights, save_checkpoint, save_weights
from vaelab.training.step import weighted as with_weights

PLAIN = Choices(threads=1)
TRAINING = Training(batch_size=16, num_steps=12, validate_every=4)
MLP = VAEConfig(latent_dim=2, encoder=MLPEncoder(hidden=(8,)), decoder=MLPDecoder(hidden=(8,)))
CONV = VAEConfig(latent_dim=2, encoder=ConvEncoder(widths=(8, 8)), decoder=ConvDecoder(widths=(8, 8)))


@pytest.fixture(scope="module")
def batches():
    images = np.random.default_rng(0).integers(0, 256, (80, 1, 12, 12), dtype=np.uint8)
    feed = Feed(images, Intensity(lo=(0.0,), hi=(255.0,), square_root=False))
    return Batches(feed=feed, train=np.arange(60), validation=np.arange(60, 80))


def build(config, seed=0):
    torch.manual_seed(seed)
    return config.build((1, 12, 12))


def run(config, batches, training=TRAINING, choices=PLAIN, seed=0, between=None, log_every=5):
    state = begin(build(config), ELBO(), batches, training)
    for _ in train(state, batches, training, choices, seed, log_every):
        if between:
            between(state)
    return state


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.mark.parametrize("config", [MLP, CONV])
def test_every_parameter_moves_and_the_loss_falls(config, batches):
    before = build(config)
    first = validate(begin(before, ELBO(), batches, TRAINING).computes, batches)[""]["loss"]
    state = run(config, batches, replace(TRAINING, num_steps=60, learning_rate=0.01))
    pairs = zip(before.parameters(), state.model.parameters(), strict=True)
    assert all((a != b).any() for a, b in pairs)
    assert state.validation[""]["loss"] < first


def test_same_seed_same_numbers_whatever_happens_between_the_steps(batches):
    plain = run(MLP, batches)
    disturbed = run(
        MLP,
        batches,
        between=lambda state: (
            torch.rand(5),
            np.random.default_rng().random(3),
            validate(state.computes, batches),
        ),
    )
    assert same(plain.model, disturbed.model)
    assert not same(plain.model, run(MLP, batches, seed=1).model)


@pytest.mark.parametrize("at", [1, 4, 5, 7])
@pytest.mark.parametrize(
    "choices",
    [PLAIN, Choices(threads=1, precision="bfloat16", channels_last=True)],
    ids=["plain", "bf16, channels last"],
)
@pytest.mark.parametrize("config", [MLP, CONV], ids=["mlp", "conv"])
def test_resumed_equals_uninterrupted_bit_for_bit(config, choices, at, batches, tmp_path):
    lines: list[dict] = []
    whole = run(
        config, batches, choices=choices, between=lambda s: lines.append({"terms": s.terms, "val": s.validation})
    )

    first = begin(build(config), ELBO(), batches, TRAINING)
    for _ in train(first, batches, TRAINING, choices, 0, 5):
        if first.step == at:
            save_checkpoint(first, tmp_path / "last.safetensors")
            break
    second = begin(build(config, seed=9), ELBO(), batches, TRAINING)
    load_checkpoint(second, tmp_path / "last.safetensors")
    again = [{"terms": s.terms, "val": s.validation} for s in train(second, batches, TRAINING, choices, 0, 5)]
    assert same(whole.model, second.model)
    assert again == lines[at:]
    assert (second.best, second.best_step, second.waited) == (whole.best, whole.best_step, whole.waited)


def test_logged_terms_are_means_over_the_steps_since_the_last_line(batches):
    every, fives = [], []
    run(MLP, batches, log_every=1, between=lambda s: every.append(s.terms[""]["loss"]))
    run(MLP, batches, log_every=5, between=lambda s: s.terms and fives.append(s.terms[""]["loss"]))
    assert fives == pytest.approx([np.mean(every[:5]), np.mean(every[5:10]), np.mean(every[10:])], rel=1e-6)


def test_validation_is_the_mean_over_all_held_out_images_and_leaves_the_model_as_it_was(batches):
    computes = begin(build(CONV), ELBO(rate_weight=0), batches, TRAINING).computes.train()
    model, x = computes.model, batches.feed(batches.validation)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = validate(computes, batches)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    by_hand = -model.eval().decode(model.encode(x).mean).log_prob(x)
    assert found[""]["loss"] == pytest.approx(by_hand.mean().item(), rel=1e-6)


def test_validation_takes_the_same_noise_each_time(batches):
    computes = begin(build(MLP), ELBO(), batches, TRAINING).computes
    assert validate(computes, batches) == validate(computes, batches)
    assert validate(computes, batches, seed=1) != validate(computes, batches)


def test_a_weight_multiplies_its_own_images_loss(batches):
    """Study 4's weights were broadcast over the wrong axis: here one image's weight changes that image's term alone."""
    model, x = build(MLP), batches.feed(np.arange(4))
    weights = torch.tensor([1.0, 0.0, 3.0, 1.0])
    plain = ELBO(rate_weight=0)(model, x, 0)
    weighted = with_weights({"": plain}, weights)[""]
    torch.testing.assert_close(weighted["loss"], plain["loss"] * weights)
    torch.testing.assert_close(weighted["distortion"], plain["distortion"])


def test_images_of_weight_zero_do_not_train(batches):
    weights = np.ones(80)
    weights[:60] = 0
    state = run(MLP, replace(batches, weights=weights))
    assert same(state.model, build(MLP))


def test_early_stopping_counts_validations_without_a_better_loss(batches):
    training = replace(TRAINING, num_steps=100_000, validate_every=2, patience=3, learning_rate=0.05)
    losses: list[float] = []
    state = run(MLP, batches, training, between=lambda s: s.validation and losses.append(s.validation[""]["loss"]))
    assert state.step < training.num_steps
    assert "no better validation loss" in state.stop
    assert losses.index(min(losses)) == len(losses) - 4
    assert state.best_step == 2 * (losses.index(min(losses)) + 1)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1.0] * 12),
        ("cosine", [(1 + math.cos(math.pi * i / 12)) / 2 for i in range(12)]),
        ("step", [1.0] * 8 + [0.1] * 2 + [0.01] * 2),
    ],
)
def test_learning_rate_schedules(schedule, expected, batches):
    rates: list[float] = []
    run(MLP, batches, replace(TRAINING, schedule=schedule), between=lambda s: rates.append(s.learning_rate * 1000))
    assert rates == pytest.approx(expected)


def test_gradient_is_clipped(batches):
    norms: list[float] = []

    def norm(state):
        norms.append(math.sqrt(sum(p.grad.square().sum().item() for p in state.model.parameters())))

    run(MLP, batches, between=norm)
    assert max(norms) > 1
    norms.clear()
    run(MLP, batches, replace(TRAINING, clip_norm=0.5), between=norm)
    assert max(norms) <= 0.5 + 1e-5


def test_a_loss_that_is_not_finite_stops_in_one_sentence(batches):
    with pytest.raises(InputError, match=r"training should keep finite numbers, got the loss not finite by step \d+"):
        run(MLP, batches, replace(TRAINING, learning_rate=1e30, num_steps=100))


def test_a_checkpoint_of_broken_weights_is_refused_and_the_last_one_stays(batches, tmp_path):
    state = run(MLP, batches)
    save_checkpoint(state, tmp_path / "last.safetensors")
    good = (tmp_path / "last.safetensors").read_bytes()
    next(state.model.parameters()).data.fill_(math.nan)
    with pytest.raises(InputError, match="got a weight not finite"):
        save_checkpoint(state, tmp_path / "last.safetensors")
    assert (tmp_path / "last.safetensors").read_bytes() == good


def test_a_full_disk_leaves_the_last_checkpoint_unharmed(batches, tmp_path, monkeypatch):
    state = run(MLP, batches)
    save_checkpoint(state, tmp_path / "last.safetensors")
    good = (tmp_path / "last.safetensors").read_bytes()
    run_on = begin(state.model, ELBO(), batches, TRAINING)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"got No space left on device. The last checkpoint is unharmed"):
        save_checkpoint(run_on, tmp_path / "last.safetensors")
    assert (tmp_path / "last.safetensors").read_bytes() == good
    assert [path.name for path in tmp_path.iterdir()] == ["last.safetensors"]


def test_a_folder_that_cannot_be_written_is_refused_before_training(batches, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="should be a folder that can be written"):
        check_room(tmp_path / "file" / "run", build(MLP))


def test_too_small_a_disk_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1_000_000})())
    with pytest.raises(InputError, match=r"MB free for checkpoints, got 1 MB. Make room."):
        check_room(tmp_path, build(MLP))


def test_weights_of_another_model_and_broken_files_are_refused(tmp_path):
    save_weights(build(MLP), tmp_path / "mlp.safetensors")
    with pytest.raises(InputError, match="should hold the weights of this model"):
        load_weights(build(CONV), tmp_path / "mlp.safetensors")
    broken = tmp_path / "broken.safetensors"
    for content in (b"", b"\x00" * 100, (tmp_path / "mlp.safetensors").read_bytes()[:-9]):
        broken.write_bytes(content)
        with pytest.raises(InputError, match="should be a checkpoint of vaelab"):
            load_weights(build(MLP), broken)
    save_file({"x": torch.zeros(1)}, broken)
    with pytest.raises(InputError, match="should be a checkpoint of vaelab"):
        load_weights(build(MLP), broken)
    assert load_file(tmp_path / "mlp.safetensors")["model.encoder.1.weight"].shape == (8, 144)


def test_chosen_ways_are_remembered_and_computed_the_same(batches, tmp_path, monkeypatch):
    """Whatever is chosen gives the plain way's loss, to rounding; a second question times nothing."""
    model, x = build(CONV), batches.feed(np.arange(16))
    calls = []

    def step(model, num_images):
        calls.append(1)
        model.zero_grad()
        ELBO(rate_weight=0)(model, x[:num_images], 0)["loss"].mean().backward()

    weights = [p.clone() for p in model.parameters()]
    monkeypatch.setattr(Watch, "others", lambda watch: 0.0)
    found = choose(model, step, batch_size=16, memory=tmp_path / "choices.json")
    assert calls
    assert all(torch.equal(a, b) for a, b in zip(weights, model.parameters(), strict=True))
    calls.clear()
    assert choose(model, step, batch_size=16, memory=tmp_path / "choices.json") == found
    assert not calls
    plain = ELBO(rate_weight=0)(model, x, 0)["loss"]
    with found.applied(model):
        fast = ELBO(rate_weight=0)(model, x, 0)["loss"]
    torch.testing.assert_close(fast, plain, rtol=2e-2, atol=0)
    assert torch.equal(ELBO(rate_weight=0)(model, x, 0)["loss"], plain), "plain again after the block"
