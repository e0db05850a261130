"""Embedding, reconstruction, samples, interpolation and traversal."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from toy_models import CurvedVAE, LinearVAE
from vaelab.errors import InputError
from vaelab.inference import (
    Embedding,
    decode_mean,
    embed,
    interpolate,
    interpolation_grid,
    one_of_every_other_class,
    reconstruct,
    sample,
    traverse,
)
from vaelab.models import Model, VAEConfig, evaluating, local_randomness

X = torch.rand(50, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def vae():
    torch.manual_seed(0)
    return VAEConfig(latent_dim=3).build((1, 8, 8))


def test_codes_and_reconstructions_are_those_of_the_model(vae):
    with torch.no_grad():
        q = vae.encode(X)
        expected = vae.decode(q.mean).mean
    embedding = embed(vae, X, batch_size=7)
    np.testing.assert_allclose(embedding.loc, q.mean, atol=1e-6)
    np.testing.assert_allclose(embedding.scale, q.stddev, rtol=1e-5)
    np.testing.assert_allclose(reconstruct(vae, X, batch_size=7), expected, atol=1e-6)
    assert embedding.table().shape == (50, 6)
    np.testing.assert_array_equal(embedding.table()["z1_scale"], embedding.scale[:, 1])


def test_a_stream_gives_what_a_tensor_gives(vae):
    np.testing.assert_array_equal(embed(vae, iter(X.split(8)), 8).loc, embed(vae, X, 8).loc)
    np.testing.assert_array_equal(reconstruct(vae, (x for x in X.split(8)), 8), reconstruct(vae, X, 8))


def test_a_large_batch_in_a_stream_is_cut(vae):
    sizes = []
    vae.encoder.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    embed(vae, [X[:20], X[20:25]], batch_size=8)
    assert sizes == [8, 8, 4, 5]


def test_batch_statistics_are_not_used_and_modes_come_back(vae):
    vae.encoder = nn.Sequential(nn.BatchNorm2d(1), vae.encoder)
    vae.train()
    vae.decoder.eval()
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    one_by_one = np.concatenate([embed(vae, x[None]).loc for x in X])
    np.testing.assert_allclose(one_by_one, embed(vae, X).loc, atol=1e-6)
    assert vae.training
    assert vae.encoder[0].training
    assert not vae.decoder.training
    assert all(torch.equal(before[name], value) for name, value in vae.state_dict().items())


def test_the_model_comes_back_as_it_was_after_an_error(vae):
    vae.train()
    vae.set_network_dtype(torch.bfloat16)
    with pytest.raises(InputError):
        embed(vae, [X, 2 * X])
    assert vae.training
    assert vae.network_dtype == torch.bfloat16
    with evaluating(vae):
        assert vae.network_dtype == torch.float32
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


def test_networks_run_in_float32_even_within_autocast(vae):
    expected = reconstruct(vae, X)
    vae.set_network_dtype(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        np.testing.assert_array_equal(reconstruct(vae, X), expected)


@pytest.mark.parametrize(
    "call",
    [
        lambda vae: sample(vae, 5, seed=1, draw_pixels=True),
        lambda vae: traverse(vae, X),
        lambda vae: interpolate(vae, X[:2], X[2:4]),
        lambda vae: embed(vae, X),
    ],
)
def test_nobody_elses_random_numbers_are_touched(vae, call):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    call(vae)
    assert torch.equal(torch.rand(3), expected)


def test_local_randomness_is_given_back_after_an_error():
    state = torch.get_rng_state()
    with pytest.raises(RuntimeError), local_randomness(3, torch.device("cpu")):
        torch.rand(1) @ torch.rand(2)
    assert torch.equal(torch.get_rng_state(), state)


def test_samples_follow_the_prior_and_the_likelihood():
    model = LinearVAE()
    images = sample(model, 40_000, seed=0, draw_pixels=True).reshape(40_000, -1)
    np.testing.assert_allclose(images.mean(0), model.mean, atol=0.02)
    np.testing.assert_allclose(np.cov(images.T), model.covariance().detach(), atol=0.03)
    means = sample(model, 40_000, seed=0, temperature=0.5).reshape(40_000, -1)
    weight = model.weight.detach().numpy()
    np.testing.assert_allclose(np.cov(means.T), 0.25 * weight @ weight.T, atol=0.01)


def test_samples_are_seeded_and_cold_ones_are_all_the_same(vae):
    np.testing.assert_array_equal(sample(vae, 9, seed=4), sample(vae, 9, seed=4))
    assert not np.array_equal(sample(vae, 9, seed=4), sample(vae, 9, seed=5))
    cold = sample(vae, 3, temperature=0)
    np.testing.assert_array_equal(cold[0], cold[1])
    assert set(np.unique(sample(vae, 9, draw_pixels=True))) <= {0.0, 1.0}


def test_interpolation_begins_at_x_and_ends_at_the_other():
    model = LinearVAE()
    x, other = torch.rand(2, 4, *model.image_shape, dtype=torch.float64)
    between = interpolate(model, x, other, num_steps=5)
    np.testing.assert_allclose(between.weights, [1, 0.75, 0.5, 0.25, 0])
    np.testing.assert_array_equal(between.left, x)
    np.testing.assert_array_equal(between.right, other)
    left, right = reconstruct(model, x), reconstruct(model, other)
    np.testing.assert_allclose(between.images[:, 0], left, atol=1e-12)
    np.testing.assert_allclose(between.images[:, -1], right, atol=1e-12)
    np.testing.assert_allclose(between.images[:, 1], 0.75 * left + 0.25 * right, atol=1e-7)


def test_an_anchor_goes_to_one_image_of_every_other_class(vae):
    labels = np.array([3, 1, 1, 0, 3, 2] + [0] * 44)
    rows = one_of_every_other_class(labels, anchor=1)
    assert rows.tolist() == [3, 5, 0]
    grid = interpolation_grid(vae, X[1:2], X[rows], num_steps=4)
    assert grid.images.shape == (3, 4, 1, 8, 8)
    np.testing.assert_array_equal(grid.left, X[1:2].expand(3, 1, 8, 8))
    np.testing.assert_array_equal(grid.right, X[rows])
    np.testing.assert_allclose(grid.images[:, 0], reconstruct(vae, X[[1, 1, 1]]), atol=1e-6)


@pytest.mark.parametrize("probability", [0.025, 0.5, 0.975])
def test_quantiles_are_those_of_draws_from_the_mixture_of_posteriors(probability):
    random = np.random.default_rng(0)
    loc, scale = random.gamma(1.0, 3.0, (300, 2)), random.uniform(0.1, 2, (300, 2))
    found = Embedding(loc=loc, scale=scale).aggregate_quantile(probability)
    draws = loc + scale * random.standard_normal((4000, 300, 2))
    share = (draws < found).mean((0, 1))
    np.testing.assert_allclose(share, probability, atol=0.001)


def test_quantiles_of_many_images_come_from_images_all_over():
    loc = np.linspace(0, 1, 50_000)[:, None]
    quantile = Embedding(loc=loc, scale=np.full_like(loc, 1e-6)).aggregate_quantile(0.975)
    assert quantile[0] == pytest.approx(0.975, abs=1e-3)


def test_a_walk_crosses_the_central_95_percent_from_end_to_end():
    model = LinearVAE()
    x = torch.rand(200, *model.image_shape, dtype=torch.float64)
    embedding = embed(model, x)
    walks = traverse(model, x)
    assert walks.images.shape == (3, 15, *model.image_shape)
    assert walks.values.shape == (3, 15)
    np.testing.assert_allclose(walks.values[:, 0], embedding.aggregate_quantile(0.025))
    np.testing.assert_allclose(walks.values[:, -1], embedding.aggregate_quantile(0.975))
    np.testing.assert_allclose(np.diff(walks.values, 2), 0, atol=1e-9)
    z = embedding.loc.mean(0)
    z[1] = walks.values[1, 4]
    np.testing.assert_allclose(walks.images[1, 4], decode_mean(model, torch.from_numpy(z)[None])[0], atol=1e-12)


def test_walks_around_an_image_keep_its_other_latents_and_say_what_they_move():
    model = LinearVAE()
    x = torch.rand(200, *model.image_shape, dtype=torch.float64)
    walks = traverse(model, embed(model, x), num_steps=4, coverage=0.5, anchor=x[:1], latents=[2, 0])
    code = embed(model, x[:1]).loc[0]
    np.testing.assert_allclose(walks.held, code)
    assert walks.latents.tolist() == [2, 0]
    z = code.copy()
    z[2] = walks.values[0, 3]
    np.testing.assert_allclose(walks.images[0, 3], decode_mean(model, torch.from_numpy(z)[None])[0], atol=1e-12)
    weight = model.weight.detach().abs().view(*model.image_shape, 3).mean((1, 2)).numpy()
    expected = (walks.values[:, -1] - walks.values[:, 0])[:, None] * weight.T[[2, 0]]
    np.testing.assert_allclose(walks.channel_change(), expected, rtol=1e-9)
    np.testing.assert_array_equal(walks.channel(1), walks.images[:, :, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: sample(m, 0), "sample.num_images should be at least 1, got 0"),
        (lambda m: sample(m, 1, temperature=-1.0), "sample.temperature should be 0 or more"),
        (lambda m: interpolate(m, X[:2], X[:2], 1), "interpolate.num_steps should be at least 2, got 1"),
        (lambda m: interpolate(m, X[:2], X[:3]), r"interpolate.x_other should hold as many images as x \(2\), got 3"),
        (lambda m: interpolation_grid(m, X[:2], X[:2]), "interpolation_grid.anchor should be one image, got 2"),
        (lambda m: traverse(m, X, 1), "traverse.num_steps should be at least 2, got 1"),
        (lambda m: traverse(m, X, coverage=1.0), "traverse.coverage should be above 0 and below 1, got 1.0"),
        (lambda m: traverse(m, X, anchor=X[:2]), "traverse.anchor should be one image, got 2"),
        (lambda m: traverse(m, X, latents=[3]), r"traverse.latents should be numbers from 0 to 2, got \[3\]"),
        (
            lambda m: traverse(m, embed(CurvedVAE(), X[:, :, :3, :3])),
            "traverse.images should be an embedding of 3 latents",
        ),
        (
            lambda m: Embedding(loc=np.zeros((2, 3)), scale=np.ones((2, 2))),
            "embedding should have loc and scale of one",
        ),
    ],
)
def test_refusals_say_what_to_mend(vae, call, message):
    with pytest.raises(InputError, match=message):
        call(vae)


def conditional_vae() -> Model:
    torch.manual_seed(0)
    return VAEConfig(latent_dim=2).build((1, 4, 4), num_conditions=3)


def test_many_codes_are_decoded_each_under_its_own_condition():
    vae, c, z = conditional_vae(), torch.eye(3).repeat(4, 1), torch.randn(12, 2)
    one_by_one = [decode_mean(vae.given(c[i : i + 1]), z[i : i + 1])[0] for i in range(12)]
    np.testing.assert_allclose(decode_mean(vae.given(c), z, batch_size=5), one_by_one, atol=1e-6)


def test_each_pair_is_interpolated_under_its_own_condition():
    vae, c, x = conditional_vae(), torch.eye(3), torch.rand(3, 1, 4, 4)
    together = interpolate(vae.given(c), x, x.flip(0), num_steps=4).images
    for i in range(3):
        alone = interpolate(vae.given(c[i : i + 1]), x[i : i + 1], x.flip(0)[i : i + 1], num_steps=4).images
        np.testing.assert_allclose(together[i], alone[0], atol=1e-6)
