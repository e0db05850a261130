"""Residual networks: the block's formula, calm at any depth, all ways of computing them, refusals, real training."""

from __future__ import annotations

import copy

import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F

from vaelab.errors import InputError
from vaelab.networks import kernels, num_parameters
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.residual import ResidualBlock, ResidualDecoder, ResidualEncoder

NORMS = pytest.mark.parametrize("norm", ["batch", "none"])


@NORMS
@pytest.mark.parametrize("training", [True, False])
def test_a_block_adds_what_its_formula_says(norm, training):
    torch.manual_seed(0)
    block = ResidualBlock(3, 2, norm, "silu").double()
    parts = list(block.branch)
    x = torch.randn(4, 3, 5, 6, dtype=torch.float64)

    def normed(y):
        if norm == "none":
            return y
        spread, middle = torch.var_mean(y, (0, 2, 3), correction=0, keepdim=True)
        return (y - middle) / (spread + 1e-5).sqrt() if training else y / (1 + 1e-5) ** 0.5

    y = x
    for conv in [part for part in parts if isinstance(part, torch.nn.Conv2d)]:
        y = F.conv2d(F.silu(normed(y)), conv.weight, conv.bias, padding=1)
    torch.testing.assert_close(block.train(training)(x), x + y)


def streams(network, inputs):
    """Variance of what each block is given and gives."""
    found = []
    for module in network.modules():
        if isinstance(module, ResidualBlock):
            module.register_forward_hook(lambda _, args, y: found.append((args[0].var().item(), y.var().item())))
    network(inputs)
    return found


def networks(num_blocks, norm):
    """Encoder and decoder of two scales, with inputs."""
    torch.manual_seed(0)
    setting = {"num_blocks": num_blocks, "norm": norm, "dense": ()}
    encoder = ResidualEncoder(widths=(16, 32), **setting).build((1, 16, 16), 4)
    decoder = ResidualDecoder(widths=(32, 16), **setting).build(4, (1, 16, 16))
    return (encoder, torch.rand(32, 1, 16, 16)), (decoder, torch.randn(32, 4))


@NORMS
@pytest.mark.parametrize("which", [0, 1])
def test_variance_and_gradients_do_not_grow_with_depth(norm, which):
    """From 2 to 96 blocks. Were the last convolutions not scaled, batch norm would add 8 to a variance below 1."""

    def measured(num_blocks):
        network, inputs = networks(num_blocks, norm)[which]
        found = streams(network, inputs)
        network(inputs).square().sum().backward()
        first = next(p for p in network.parameters() if p.dim() > 1)
        added = max(after - before for before, after in zip(*[[f[i] for f in found] for i in (0, 1)], strict=True))
        total = max(after for _, after in found)
        return network(inputs).var().item(), total, first.grad.norm().item(), added

    shallow, deep = measured(1), measured(48)
    for few, many in zip(shallow[:3], deep[:3], strict=True):
        assert 1 / 2.5 < many / few < 2.5
    assert deep[3] < 0.02 * deep[1] + 0.01, "each block begins near the identity"


@pytest.mark.parametrize("num_in_all", [1, 4, 100])
def test_the_last_convolution_begins_smaller_by_the_root_of_the_blocks(num_in_all):
    torch.manual_seed(0)
    convolutions = [part for part in ResidualBlock(32, num_in_all, "batch", "relu").branch if hasattr(part, "stride")]
    first, last = (conv.weight.std().item() for conv in convolutions)
    assert last / first == pytest.approx(num_in_all**-0.5, rel=0.02)


@NORMS
def test_parameters_by_hand(norm):
    encoder = ResidualEncoder(widths=(8, 16), num_blocks=3, norm=norm, dense=(20,)).build((3, 17, 24), 5)
    decoder = ResidualDecoder(widths=(16, 8), num_blocks=3, norm=norm, dense=(20,)).build(5, (3, 17, 24))
    per_norm = 2 if norm == "batch" else 0

    def blocks(width):
        return 3 * 2 * (width * width * 9 + width + per_norm * width)

    down = (3 * 16 + 1) * 8 + (8 * 16 + 1) * 16
    up = (16 * 9 + 1) * 8 + (8 * 9 + 1) * 3
    small = 16 * 4 * 6
    both = blocks(8) + blocks(16)
    assert num_parameters(encoder) == down + both + per_norm * 16 + (small + 1) * 20 + 21 * 5
    assert num_parameters(decoder) == 6 * 20 + 21 * small + both + up + per_norm * 8


def test_without_blocks_it_would_be_the_plain_network():
    """Halvings and doublings see the sizes that they see there; only their number of products differs."""
    encoder = ResidualEncoder(widths=(8, 16), norm="none").build((2, 21, 30), 5)
    plain = ConvEncoder(widths=(8, 16), norm="none").build((2, 21, 30), 5)
    halvings = [[str(m) for m in network if isinstance(m, torch.nn.Conv2d)] for network in (encoder, plain)]
    assert halvings[0] == halvings[1]
    decoder = ResidualDecoder(widths=(16, 8), norm="none").build(5, (2, 20, 32))
    plain = ConvDecoder(widths=(16, 8), norm="none", upsampling="nearest").build(5, (2, 20, 32))
    doublings = [[str(m) for m in network if isinstance(m, torch.nn.Conv2d)] for network in (decoder, plain)]
    assert doublings[0] == doublings[1]


@pytest.mark.parametrize("size", [(8, 8), (9, 511), (512, 512)])
def test_defaults_build_for_the_smallest_and_largest_images(size):
    torch.manual_seed(0)
    encoder = ResidualEncoder().build((2, *size), 4).eval()
    decoder = ResidualDecoder().build(3, (2, *size)).eval()
    with torch.no_grad():
        assert encoder(torch.rand(1, 2, *size)).shape == (1, 4)
        assert decoder(torch.randn(1, 3)).shape == (1, 2, *size)


def test_the_decoder_gives_the_same_image_in_every_way():
    """An image of 36x44 comes from 18x22, 9x11 and 4x5: all but the first step are doublings."""
    torch.manual_seed(0)
    decoder = ResidualDecoder(widths=(16, 8, 8)).build(4, (3, 36, 44)).double().eval()
    z = torch.randn(5, 4, dtype=torch.float64)
    expected = decoder(z)
    for kernel in ("split_bias", "matmul_fold", "sub_pixel"):
        chosen = [layer for layer in decoder.modules() if kernel in kernels(layer)]
        assert len(chosen) == 2
        for layer in chosen:
            layer.kernel = kernel
        torch.testing.assert_close(decoder(z), expected, rtol=1e-10, atol=1e-12)


@NORMS
@pytest.mark.parametrize("last", [True, False])
def test_bfloat16_stays_within_its_rounding(norm, last):
    for network, inputs in networks(2, norm):
        exact = copy.deepcopy(network)(inputs)
        if last:
            network.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            got = network(inputs)
        got.float().square().sum().backward()
        assert all(p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in network.parameters())
        assert ((got.float() - exact).norm() / exact.norm()).item() < 0.03


BAD_SETTINGS = [
    ({"num_blocks": 0}, "num_blocks should be from 1 to 100, got 0."),
    ({"widths": ()}, "widths should hold at least one number, got none. Leave it out to have it chosen."),
    ({"widths": (8, 0)}, "widths[1] should be at least 1, got 0."),
    ({"dense": (-1,)}, "dense[0] should be at least 1, got -1."),
]


@pytest.mark.parametrize("setting", [ResidualEncoder, ResidualDecoder])
@pytest.mark.parametrize(("fields", "sentence"), BAD_SETTINGS)
def test_bad_settings_are_refused(setting, fields, sentence):
    with pytest.raises(InputError) as refusal:
        setting(**fields)
    assert str(refusal.value) == sentence


def test_images_of_the_wrong_size_are_refused():
    for build in (
        lambda setting, size: ResidualEncoder(**setting).build((1, *size), 2),
        lambda setting, size: ResidualDecoder(**setting).build(2, (1, *size)),
    ):
        with pytest.raises(InputError, match="image size should be from 8x8 to 512x512 for convolutions, got 7x64"):
            build({}, (7, 64))
        with pytest.raises(InputError, match=r"widths should hold at most 4 widths for images of 28x28, got 5\."):
            build({"widths": (4,) * 5}, (28, 28))


@pytest.mark.parametrize(("norm", "num_steps"), [("batch", 120), pytest.param("none", 250, marks=pytest.mark.slow)])
def test_sixteen_blocks_learn_real_digits(norm, num_steps):
    """Scanned digits of 8x8 through 8 numbers and back: much nearer the least possible than one image for all is."""
    images = torch.from_numpy(load_digits().images[:, None] / 16).float()
    best_for_all = F.binary_cross_entropy(images.mean(0).expand_as(images), images, reduction="sum") / len(images)
    least = F.binary_cross_entropy(images, images, reduction="sum") / len(images)
    torch.manual_seed(0)
    setting = {"num_blocks": 4, "norm": norm, "dense": ()}
    encoder = ResidualEncoder(widths=(8, 16), **setting).build((1, 8, 8), 8)
    decoder = ResidualDecoder(widths=(16, 8), **setting).build(8, (1, 8, 8))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 4e-3)
    losses = []
    for _ in range(num_steps):
        x = images[torch.randint(len(images), (128,))]
        loss = F.binary_cross_entropy_with_logits(decoder(encoder(x)), x, reduction="sum") / len(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > best_for_all
    assert sum(losses[-10:]) / 10 - least < 0.7 * (best_for_all - least)
