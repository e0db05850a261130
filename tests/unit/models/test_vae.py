"""The VAE as prior, encode and decode, with its parts exchanged."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import softplus

from vaelab.errors import InputError
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.models import VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder

PARTS = {"latent_dim": 3, "encoder": MLPEncoder(hidden=(16,)), "decoder": MLPDecoder(hidden=(16,))}


@pytest.mark.parametrize(
    ("setting", "scale_of"),
    [
        ("softplus", lambda raw: softplus(raw[:, 3:])),
        ("log_scale", lambda raw: raw[:, 3:].exp()),
        (0.1, lambda raw: torch.full((5, 3), 0.1)),
    ],
)
def test_posterior_location_and_scale_come_from_the_network(setting, scale_of):
    vae = VAEConfig(**PARTS, posterior_scale=setting).build((2, 8, 8))
    x = torch.rand(5, 2, 8, 8)
    raw, q = vae.encoder(x), vae.encode(x)
    assert raw.shape == (5, 3 if setting == 0.1 else 6)
    torch.testing.assert_close(q.mean, raw[:, :3])
    torch.testing.assert_close(q.stddev, scale_of(raw), atol=2e-6, rtol=1e-5)


def test_what_the_likelihood_learns_once_for_all_images_is_a_weight_of_the_model():
    vae = VAEConfig(**PARTS, likelihood=GaussianLikelihood(scale="per_channel")).build((2, 8, 8))
    (name,) = [name for name, _ in vae.named_parameters() if name.startswith("free")]
    (-vae.decode(torch.zeros(4, 3)).log_prob(torch.rand(4, 2, 8, 8)).mean()).backward()
    assert vae.get_parameter(name).grad.abs().min() > 0


def test_same_generator_state_same_weights():
    first, second = (torch.manual_seed(3) and VAEConfig(**PARTS).build((1, 8, 8)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_networks_in_bfloat16_give_distributions_in_float32():
    vae = VAEConfig(**PARTS).build((1, 8, 8))
    x = torch.rand(4, 1, 8, 8)
    exact = vae.encode(x)
    vae.set_network_dtype(torch.bfloat16)
    coarse = vae.encode(x)
    assert coarse.mean.dtype == torch.float32
    assert not torch.equal(coarse.mean, exact.mean)
    torch.testing.assert_close(coarse.mean, exact.mean, atol=0.02, rtol=0.02)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"latent_dim": 0}, "latent_dim should be at least 1, got 0."),
        ({"posterior_scale": 0.0}, "posterior_scale should be positive and finite, got 0.0."),
        (
            {"posterior_scale": float("nan")},
            "posterior_scale should be softplus, log_scale or a number (positive and finite), got nan.",
        ),
    ],
)
def test_refusals(setting, sentence):
    with pytest.raises(InputError) as refusal:
        VAEConfig(**setting)
    assert str(refusal.value) == sentence
