"""The networks of study 1 out of our settings and out of plain torch layers: the same, layer by layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.models import VAEConfig
from vaelab.models.two_stage import TwoStageConfig
from vaelab.networks import num_parameters
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPEncoder

WIDTHS = (128, 64, 32, 16)
"""Of the decoders' four blocks: 128 is 2048 / (4 x 4); the others are not known from the study, and halve."""
FIRST_ENCODER = ConvEncoder(widths=(32, 64, 128, 256, 512), dense=(1024, 256), activation="leaky_relu")
FIRST_DECODER = ConvDecoder(widths=WIDTHS, dense=(1024,), upsampling="bilinear", activation="leaky_relu")
SECOND_ENCODER = MLPEncoder(hidden=(64,), activation="leaky_relu")
SECOND_DECODER = ConvDecoder(widths=WIDTHS, dense=(64, 256, 1024), upsampling="bilinear", activation="leaky_relu")
IMAGE = (3, 64, 64)


def of_settings():
    """Part -> network, its inputs. Encoders give location and scale of 100 or 3 latents."""
    trunk_and_head = FIRST_ENCODER.build(IMAGE, 2 * 100)
    return {
        "trunk": (trunk_and_head[:-1], IMAGE),
        "first head": (trunk_and_head[-1:], (256,)),
        "second encoder, single embed": (SECOND_ENCODER.build((256, 1, 1), 2 * 3), (256, 1, 1)),
        "second encoder, double embed": (SECOND_ENCODER.build((100, 1, 1), 2 * 3), (100, 1, 1)),
        "first decoder": (FIRST_DECODER.build(100, IMAGE), (100,)),
        "second decoder": (SECOND_DECODER.build(3, IMAGE), (3,)),
    }


def halving(before, after):
    return [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.BatchNorm2d(after), nn.LeakyReLU()]


def doubling(before, after):
    return [nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(before, after, 3, padding=1)]


def drawing(*to_1024):
    """A decoder: fully connected layers to 2048 = 128 x 4 x 4, then four blocks to 64 x 64."""
    return nn.Sequential(
        *to_1024,
        *(nn.Linear(1024, 2048), nn.Unflatten(1, (128, 4, 4)), nn.LeakyReLU()),
        *(*doubling(128, 64), nn.BatchNorm2d(64), nn.LeakyReLU()),
        *(*doubling(64, 32), nn.BatchNorm2d(32), nn.LeakyReLU()),
        *(*doubling(32, 16), nn.BatchNorm2d(16), nn.LeakyReLU()),
        *doubling(16, 3),
    )


PLAIN = {
    "trunk": lambda: nn.Sequential(
        *halving(3, 32),
        *halving(32, 64),
        *halving(64, 128),
        *halving(128, 256),
        *halving(256, 512),
        *(nn.Flatten(), nn.Linear(2048, 1024), nn.LeakyReLU(), nn.Linear(1024, 256), nn.LeakyReLU()),
    ),
    "first head": lambda: nn.Sequential(nn.Linear(256, 200)),
    "second encoder, single embed": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(256, 64), nn.LeakyReLU(), nn.Linear(64, 6)
    ),
    "second encoder, double embed": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(100, 64), nn.LeakyReLU(), nn.Linear(64, 6)
    ),
    "first decoder": lambda: drawing(nn.Linear(100, 1024), nn.LeakyReLU()),
    "second decoder": lambda: drawing(
        *(nn.Linear(3, 64), nn.LeakyReLU(), nn.Linear(64, 256), nn.LeakyReLU()),
        *(nn.Linear(256, 1024), nn.LeakyReLU()),
    ),
}
COUNTS = {
    "trunk": 5_150_368,
    "first head": 51_400,
    "second encoder, single embed": 16_838,
    "second encoder, double embed": 6_854,
    "first decoder": 2_300_163,
    "second decoder": 2_476_803,
}


def counts(network):
    """Parameters of each layer that has some."""
    return [num_parameters(layer) for layer in network if num_parameters(layer)]


@pytest.mark.parametrize("part", PLAIN)
def test_parts_have_the_parameters_of_plain_layers(part):
    torch.manual_seed(0)
    (ours, _), theirs = of_settings()[part], PLAIN[part]()
    assert counts(ours) == counts(theirs)
    assert num_parameters(ours) == COUNTS[part]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("part", PLAIN)
def test_parts_give_the_numbers_of_plain_layers(part, training):
    torch.manual_seed(0)
    (ours, shape), theirs = of_settings()[part], PLAIN[part]()
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    inputs = torch.rand(4, *shape)
    torch.testing.assert_close(ours.train(training)(inputs), theirs.train(training)(inputs))


def test_the_preset_has_the_first_stage():
    from vaelab.presets import cells_synthetic

    model = cells_synthetic().model
    assert (model.latent_dim, model.encoder, model.decoder) == (100, FIRST_ENCODER, FIRST_DECODER)


@pytest.mark.parametrize("embed", ["single", "double"])
def test_both_stages_have_these_parts_and_no_more(embed):
    """Beside the networks each stage learns the scale of each of three channels."""
    likelihood = GaussianLikelihood(scale="per_channel")
    model = TwoStageConfig(
        embed=embed,
        first=VAEConfig(latent_dim=100, encoder=FIRST_ENCODER, decoder=FIRST_DECODER, likelihood=likelihood),
        second=VAEConfig(latent_dim=3, encoder=SECOND_ENCODER, decoder=SECOND_DECODER, likelihood=likelihood),
    ).build(IMAGE)
    others = ["trunk", "first head", "first decoder", "second decoder"]
    expected = sum(COUNTS[part] for part in [*others, f"second encoder, {embed} embed"])
    assert num_parameters(model) == expected + 2 * 3
