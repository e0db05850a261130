"""Every encoder and decoder builds itself for any image, reaches all pixels and parameters, refuses in one sentence."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.catalogue import members
from vaelab.errors import InputError
from vaelab.networks import Decoder, Encoder
from vaelab.networks.conv import ConvDecoder, ConvEncoder

SIDES = st.tuples(st.integers(8, 64), st.integers(8, 64))
LONG = st.sampled_from([(512, 8), (9, 511), (100, 300), (179, 223)])
SHAPES = st.one_of(st.tuples(st.integers(1, 30), SIDES), st.tuples(st.integers(1, 2), LONG)).filter(
    lambda shape: shape[0] * shape[1][0] * shape[1][1] <= 50_000
)
encoders = pytest.mark.parametrize("name", members(Encoder))
decoders = pytest.mark.parametrize("name", members(Decoder))


def reach_all_parameters(module, outputs):
    (outputs * torch.randn_like(outputs)).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # A bias in front of batch normalisation has a gradient of zero by algebra.
        assert parameter.dim() == 1 or parameter.grad.abs().sum() > 0, name


@encoders
@settings(max_examples=12)
@given(shape=SHAPES, num_outputs=st.integers(1, 9))
def test_encoder_gives_the_numbers_asked_for(name, shape, num_outputs):
    channels, (height, width) = shape
    torch.manual_seed(0)
    network = members(Encoder)[name]().build((channels, height, width), num_outputs)
    images = torch.rand(3, channels, height, width, requires_grad=True)
    outputs = network(images)
    assert outputs.shape == (3, num_outputs)
    reach_all_parameters(network, outputs)
    assert (images.grad.abs().sum(0) > 0).all(), "a pixel is not looked at"


@decoders
@settings(max_examples=12)
@given(shape=SHAPES, latent_dim=st.integers(1, 9))
def test_decoder_gives_the_image_asked_for(name, shape, latent_dim):
    channels, (height, width) = shape
    torch.manual_seed(0)
    network = members(Decoder)[name]().build(latent_dim, (channels, height, width))
    outputs = network(torch.randn(3, latent_dim))
    assert outputs.shape == (3, channels, height, width)
    assert (outputs.std(0) > 0).all(), "a pixel does not depend on the latents"
    assert outputs.min() < 0 < outputs.max(), "raw numbers, not squashed ones"
    reach_all_parameters(network, outputs)


def sample_network(kind, name):
    """A fresh network of the family and a batch for it; always the same."""
    torch.manual_seed(1)
    if kind is Encoder:
        return members(kind)[name]().build((2, 19, 26), 6), torch.rand(4, 2, 19, 26)
    return members(kind)[name]().build(5, (2, 19, 26)), torch.randn(4, 5)


everyone = pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in (Encoder, Decoder) for name in members(kind)]
)


@everyone
@pytest.mark.parametrize("training", [True, False])
def test_same_seed_and_input_give_the_same_output(kind, name, training):
    (first, batch), (second, _) = sample_network(kind, name), sample_network(kind, name)
    first.train(training)
    second.train(training)
    assert torch.equal(first(batch), second(batch))
    assert torch.equal(first(batch), second(batch))


@everyone
def test_images_do_not_see_each_other_when_not_training(kind, name):
    network, batch = sample_network(kind, name)
    network(batch)  # gives running statistics
    network.eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    together = network(batch)
    torch.testing.assert_close(together, torch.cat([network(one[None]) for one in batch]), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@everyone
def test_channels_last_changes_no_number(kind, name):
    network, batch = sample_network(kind, name)
    expected = network.eval()(batch)
    network.to(memory_format=torch.channels_last)
    if batch.dim() == 4:
        batch = batch.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(network(batch), expected, rtol=1e-4, atol=1e-5)


BAD_SETTINGS = [
    (ConvEncoder, {"widths": ()}, "widths should hold at least one number, got none."),
    (ConvEncoder, {"kernels": (4, 4)}, "kernels should hold one number where widths are left out, got 2."),
    (ConvDecoder, {"widths": (8, 8, 8), "kernels": (4, 4)}, "kernels should hold one number, or one for each width"),
    (ConvDecoder, {"kernels": ()}, "kernels should hold one number where widths are left out, got 0."),
    (ConvDecoder, {"kernels": (4,), "upsampling": "nearest"}, "kernels should be odd after nearest upsampling, got 4."),
]


@pytest.mark.parametrize(("setting", "fields", "sentence"), BAD_SETTINGS)
def test_bad_setting_is_refused_in_one_sentence(setting, fields, sentence):
    with pytest.raises(InputError) as refusal:
        setting(**fields)
    assert str(refusal.value).startswith(sentence)


@pytest.mark.parametrize("size", [(7, 64), (64, 513), (1, 1)])
def test_convolutions_refuse_images_out_of_range(size):
    sentence = f"image size should be from 8x8 to 512x512 for convolutions, got {size[0]}x{size[1]}."
    for build in (lambda: ConvEncoder().build((1, *size), 2), lambda: ConvDecoder().build(2, (1, *size))):
        with pytest.raises(InputError) as refusal:
            build()
        assert str(refusal.value) == sentence


@given(size=SIDES, depth=st.integers(1, 9), kernel=st.integers(2, 9))
def test_halvings_end_where_the_image_is_one_pixel(size, depth, kernel):
    """Rounding down for even kernels and up for odd ones, a side of n allows floor or ceil of log2(n) halvings."""
    side = min(size)
    allowed = side.bit_length() - 1 if kernel % 2 == 0 and kernel > 2 else (side - 1).bit_length()
    encoder = ConvEncoder(widths=(1,) * depth, kernels=(kernel,), dense=())
    decoder = ConvDecoder(widths=(1,) * depth, kernels=(kernel,), dense=())
    if depth <= allowed:
        encoder.build((1, *size), 1)
        assert decoder.build(1, (1, *size)).eval()(torch.zeros(1, 1)).shape == (1, 1, *size)
        return
    for build in (lambda: encoder.build((1, *size), 1), lambda: decoder.build(1, (1, *size))):
        with pytest.raises(InputError) as refusal:
            build()
        assert str(refusal.value) == (
            f"widths should hold at most {allowed} widths for images of {size[0]}x{size[1]}, "
            f"got {depth}. Each width halves the image."
        )
