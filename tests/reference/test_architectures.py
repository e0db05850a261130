"""The published architectures: parameter counts by hand or from their papers, shapes, the same numbers as theirs."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from vaelab import presets
from vaelab.data.sources.digits import DigitsSource
from vaelab.networks import num_parameters
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder


def of_preset(experiment, image_shape):
    model = experiment.model
    per_latent = 2 if isinstance(model.posterior_scale, str) else 1
    return model.encoder, model.decoder, image_shape, per_latent * model.latent_dim, model.latent_dim


def architectures():
    """Name -> encoder, decoder, shape of an image, numbers per image from the encoder, latents."""
    first_vae = of_preset(presets.cells_synthetic(), (3, 64, 64))
    return {
        "sprites": of_preset(presets.sprites(), (1, 64, 64)),
        "cells-synthetic": first_vae,
        "second VAE of study 1": (
            first_vae[0],
            replace(first_vae[1], dense=(64, 256, 1024)),
            (3, 64, 64),
            6,
            3,
        ),
        "rosettes": of_preset(presets.rosettes(), (1, 256, 256)),
        "iwae-mnist": of_preset(presets.iwae_mnist(DigitsSource()), (1, 28, 28)),
        "pythae's MLP": (MLPEncoder(hidden=(512,)), MLPDecoder(hidden=(512,)), (1, 28, 28), 32, 16),
        "pythae's MNIST convolutions": (
            ConvEncoder(widths=(128, 256, 512, 1024), dense=()),
            ConvDecoder(widths=(1024, 512, 256), kernels=(3,), dense=(), activate_first=False),
            (1, 28, 28),
            32,
            16,
        ),
    }


def build(name):
    encoder, decoder, image_shape, num_outputs, latent_dim = architectures()[name]
    torch.manual_seed(0)
    return encoder.build(image_shape, num_outputs), decoder.build(latent_dim, image_shape)


def count(name):
    return sum(map(num_parameters, build(name)))


def dense(*widths):
    return sum((a + 1) * b for a, b in pairwise(widths))


def convolutions(size, *widths, norm=False):
    """Weights and biases, with those of batch normalisation after each layer where there is one."""
    return sum(a * b * size * size + b + 2 * norm * b for a, b in pairwise(widths))


def test_disentanglement_benchmark_has_its_690517_parameters():
    assert count("sprites") == 690_517


def test_iwae_has_two_layers_of_200_each_way():
    assert count("iwae-mnist") == dense(784, 200, 200, 2 * 50) + dense(50, 200, 200, 784)


@pytest.mark.parametrize(
    ("name", "latent_dim", "to_start"),
    [("cells-synthetic", 100, (1024, 2048)), ("second VAE of study 1", 3, (64, 256, 1024, 2048))],
)
def test_study_1_counts_by_hand(name, latent_dim, to_start):
    encoder = convolutions(4, 3, 32, 64, 128, 256, 512, norm=True) + dense(2048, 1024, 256, 2 * latent_dim)
    decoder = dense(latent_dim, *to_start) + convolutions(3, 128, 64, 32, 16, norm=True) + convolutions(3, 16, 3)
    assert count(name) == encoder + decoder


def test_study_4_counts_by_hand():
    encoder = convolutions(4, 1, 64, 64, 128, 128) + dense(128 * 16 * 16, 256, 3)
    decoder = dense(3, 256, 128 * 16 * 16) + convolutions(3, 128, 128, 64, 64, 1)
    assert count("rosettes") == encoder + decoder


def map_sizes(network, inputs):
    """(channel, height, width) of what each layer with weights gives."""
    shapes, layers = [], (nn.Conv2d, nn.ConvTranspose2d, nn.Unflatten)
    for layer in network:
        if isinstance(layer, layers):
            layer.register_forward_hook(lambda _, __, y: shapes.append(tuple(y.shape[1:])))
    network(inputs)
    return shapes


@pytest.mark.parametrize(
    ("name", "down", "up"),
    [
        (
            "sprites",
            [(32, 32, 32), (32, 16, 16), (64, 8, 8), (64, 4, 4)],
            [(64, 4, 4), (64, 8, 8), (32, 16, 16), (32, 32, 32), (1, 64, 64)],
        ),
        (
            "cells-synthetic",
            [(32, 32, 32), (64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)],
            [(128, 4, 4), (64, 8, 8), (32, 16, 16), (16, 32, 32), (3, 64, 64)],
        ),
        (
            "rosettes",
            [(64, 128, 128), (64, 64, 64), (128, 32, 32), (128, 16, 16)],
            [(128, 16, 16), (128, 32, 32), (64, 64, 64), (64, 128, 128), (1, 256, 256)],
        ),
        (
            "pythae's MNIST convolutions",
            [(128, 14, 14), (256, 7, 7), (512, 3, 3), (1024, 1, 1)],
            [(1024, 4, 4), (512, 7, 7), (256, 14, 14), (1, 28, 28)],
        ),
    ],
)
def test_maps_have_the_published_sizes(name, down, up):
    _, _, image_shape, _, latent_dim = architectures()[name]
    encoder, decoder = build(name)
    assert map_sizes(encoder, torch.rand(2, *image_shape)) == down
    assert map_sizes(decoder, torch.randn(2, latent_dim)) == up


def same_numbers(ours, theirs, inputs):
    """With the weights of theirs, layer by layer, ours gives their numbers."""
    weights = dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True))
    ours.load_state_dict(weights)
    assert num_parameters(ours) == num_parameters(theirs)
    torch.testing.assert_close(ours(inputs), theirs(inputs))


def test_pythaes_mnist_convolutions_give_the_same_numbers():
    """Its two heads (location, log variance) are one of twice the width here; its sigmoid is the likelihood's."""

    def block(layer, width):
        return nn.Sequential(layer, nn.BatchNorm2d(width), nn.ReLU())

    down = [(1, 128), (128, 256), (256, 512), (512, 1024)]
    their_encoder = nn.Sequential(
        *[block(nn.Conv2d(a, b, 4, stride=2, padding=1), b) for a, b in down], nn.Flatten(), nn.Linear(1024, 32)
    )
    their_decoder = nn.Sequential(
        nn.Linear(16, 1024 * 4 * 4),
        nn.Unflatten(1, (1024, 4, 4)),
        block(nn.ConvTranspose2d(1024, 512, 3, stride=2, padding=1), 512),
        block(nn.ConvTranspose2d(512, 256, 3, stride=2, padding=1, output_padding=1), 256),
        nn.ConvTranspose2d(256, 1, 3, stride=2, padding=1, output_padding=1),
    )
    encoder, decoder = build("pythae's MNIST convolutions")
    same_numbers(encoder, their_encoder, torch.rand(3, 1, 28, 28))
    same_numbers(decoder, their_decoder, torch.randn(3, 16))


def test_pythaes_mlp_gives_the_same_numbers():
    their_encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 2 * 16))
    their_decoder = nn.Sequential(nn.Linear(16, 512), nn.ReLU(), nn.Linear(512, 784), nn.Unflatten(1, (1, 28, 28)))
    encoder, decoder = build("pythae's MLP")
    same_numbers(encoder, their_encoder, torch.rand(3, 1, 28, 28))
    same_numbers(decoder, their_decoder, torch.randn(3, 16))


def test_study_4_decoder_is_upsampling_and_convolution():
    their_decoder = nn.Sequential(
        nn.Linear(3, 256),
        nn.ReLU(),
        nn.Linear(256, 128 * 16 * 16),
        nn.Unflatten(1, (128, 16, 16)),
        nn.ReLU(),
        *[
            layer
            for a, b in [(128, 128), (128, 64), (64, 64)]
            for layer in (nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 3, padding=1), nn.ReLU())
        ],
        nn.Upsample(scale_factor=2),
        nn.Conv2d(64, 1, 3, padding=1),
    )
    same_numbers(build("rosettes")[1], their_decoder, torch.randn(1, 3))


@pytest.mark.parametrize(("size", "channels"), [((512, 512), 1), ((509, 300), 3), ((512, 8), 30)])
def test_defaults_build_for_the_largest_images(size, channels):
    encoder = ConvEncoder().build((channels, *size), 4)
    decoder = ConvDecoder(upsampling="nearest").build(2, (channels, *size))
    images = torch.rand(2, channels, *size)
    assert encoder(images).shape == (2, 4)
    assert decoder(torch.randn(2, 2)).shape == images.shape


def test_the_page_on_networks_states_the_counts_of_the_code():
    page = (Path(__file__).resolve().parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
    section = page.split("## Architectures")[1].split("## ")[0]
    stated = dict(re.findall(r"^\| ([^|]+) \|.*\| ([\d,]+) \|$", section, re.M))
    assert stated == {name: f"{count(name):,}" for name in architectures()}
