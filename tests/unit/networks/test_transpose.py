"""Every way of computing a doubling layer gives the stock layer's numbers and gradients."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from vaelab.networks import kernels
from vaelab.networks._transpose import FastConvTranspose2d, UpsampleConv2d
from vaelab.networks.conv import ConvDecoder

NAMES = ("stock", "split_bias", "matmul_fold", "sub_pixel")
FAST = pytest.mark.parametrize("kernel", NAMES[1:])
LAST = pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])


def outputs_and_gradients(layer, x, seed=0):
    x = x.detach().requires_grad_()
    layer.zero_grad()
    y = layer(x)
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    (y * weights.to(y.dtype)).sum().backward()
    return [t.double() for t in (y.detach(), x.grad, *(p.grad.clone() for p in layer.parameters()))]


def relative_error(got, expected):
    return max(((a - b).norm() / b.norm()).item() for a, b in zip(got, expected, strict=True))


@settings(max_examples=60)
@given(data=st.data(), bias=st.booleans(), last=st.booleans())
def test_transposed_equals_stock_in_double_precision(data, bias, last):
    kernel_size = data.draw(st.integers(2, 6), "kernel size")
    padding = tuple(data.draw(st.integers(0, (kernel_size - 1) // 2), "padding") for _ in range(2))
    more = tuple(data.draw(st.integers(0, 1), "output padding") for _ in range(2))
    num_in, num_out = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    size = data.draw(st.integers(2, 6)), data.draw(st.integers(2, 6))
    torch.manual_seed(0)
    settings = {"stride": 2, "padding": padding, "output_padding": more, "bias": bias, "dtype": torch.float64}
    layer = FastConvTranspose2d(num_in, num_out, kernel_size, **settings)
    x = torch.randn(3, num_in, *size, dtype=torch.float64)
    if last:
        layer, x = layer.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    expected = outputs_and_gradients(layer, x)
    assert kernels(layer) == NAMES
    for kernel in kernels(layer):
        layer.kernel = kernel
        for got, wanted in zip(outputs_and_gradients(layer, x), expected, strict=True):
            torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-10)


@settings(max_examples=30)
@given(size=st.tuples(st.integers(1, 7), st.integers(1, 7)), channels=st.integers(1, 4), last=st.booleans())
def test_doubling_by_nearest_equals_interpolation_and_convolution(size, channels, last):
    torch.manual_seed(0)
    large = (2 * size[0], 2 * size[1])
    layer = UpsampleConv2d(3, channels, 3, size, large, "nearest").double()
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    if last:
        layer, x = layer.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    plain = nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(3, channels, 3, padding=1)).double()
    plain[1].load_state_dict(layer.state_dict())
    expected = outputs_and_gradients(plain, x)
    assert kernels(layer) == NAMES
    for kernel in kernels(layer):
        layer.kernel = kernel
        for got, wanted in zip(outputs_and_gradients(layer, x), expected, strict=True):
            torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-10)


def disentanglement_layers():
    """The decoder's layers at a batch of 16: channels in, out, and the size before."""
    return [(64, 64, 4), (64, 32, 8), (32, 32, 16), (32, 1, 32), (32, 3, 32)]


@FAST
@LAST
@pytest.mark.parametrize(("num_in", "num_out", "size"), disentanglement_layers())
def test_single_precision_agrees_to_2e_6(kernel, memory_format, num_in, num_out, size):
    """With stock, but for the bias gradient: stock's plain sum is itself up to 4e-6 off, so exact numbers judge it."""
    torch.manual_seed(0)
    layer = FastConvTranspose2d(num_in, num_out, 4, stride=2, padding=1).to(memory_format=memory_format)
    x = torch.randn(16, num_in, size, size).contiguous(memory_format=memory_format)
    exact = outputs_and_gradients(copy.deepcopy(layer).double(), x.double())
    expected = outputs_and_gradients(layer, x)
    layer.kernel = kernel
    got = outputs_and_gradients(layer, x)
    assert relative_error(got[:3], expected[:3]) < 2e-6
    assert relative_error(got[3:], exact[3:]) < 2e-6


@FAST
@LAST
@pytest.mark.parametrize("num_out", [1, 3, 32])
@pytest.mark.parametrize("kind", ["transposed", "nearest"])
def test_autocast_agrees_within_the_rounding_of_bfloat16(kernel, memory_format, num_out, kind):
    torch.manual_seed(0)
    layer = (
        FastConvTranspose2d(32, num_out, 4, stride=2, padding=1)
        if kind == "transposed"
        else UpsampleConv2d(32, num_out, 3, (8, 8), (16, 16), "nearest")
    ).to(memory_format=memory_format)
    x = torch.randn(8, 32, 8, 8).contiguous(memory_format=memory_format)
    exact = outputs_and_gradients(layer, x)
    with torch.autocast("cpu", torch.bfloat16):
        stock = relative_error(outputs_and_gradients(layer, x), exact)
        layer.kernel = kernel
        assert layer(x).dtype == torch.bfloat16
        fast = relative_error(outputs_and_gradients(layer, x), exact)
    assert layer.weight.grad.dtype == torch.float32
    assert fast < max(2 * stock, 2**-8)


@FAST
def test_a_second_derivative_is_refused_clearly(kernel):
    layer = FastConvTranspose2d(2, 2, 4, stride=2, padding=1)
    layer.kernel = kernel
    x = torch.randn(1, 2, 4, 4, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


@FAST
def test_gradients_are_given_only_where_wanted(kernel):
    layer = FastConvTranspose2d(2, 1, 4, stride=2, padding=1)
    layer.kernel = kernel
    layer.weight.requires_grad_(False)
    layer(torch.randn(1, 2, 4, 4)).sum().backward()
    assert layer.weight.grad is None
    assert layer.bias.grad.item() == 64


def test_parameters_are_those_of_the_stock_layers():
    torch.manual_seed(0)
    fast = FastConvTranspose2d(3, 2, 4, stride=2, padding=1).state_dict()
    torch.manual_seed(0)
    stock = nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1).state_dict()
    assert list(fast) == list(stock)
    assert all(torch.equal(fast[key], stock[key]) for key in stock)


def test_only_stock_where_nothing_else_is_possible():
    others = [
        nn.ConvTranspose2d(2, 2, 4, stride=2),
        FastConvTranspose2d(2, 2, 4, stride=1),
        FastConvTranspose2d(2, 2, (4, 2), stride=2),
        FastConvTranspose2d(2, 2, 4, stride=2, groups=2),
        FastConvTranspose2d(2, 2, 4, stride=2, dilation=2),
        UpsampleConv2d(2, 2, 3, (4, 4), (8, 8), "bilinear"),
        UpsampleConv2d(2, 2, 3, (4, 4), (7, 8), "nearest"),
        UpsampleConv2d(2, 2, 5, (4, 4), (8, 8), "nearest"),
    ]
    assert [kernels(layer) for layer in others] == [("stock",)] * len(others)


def test_an_output_size_is_honoured_by_the_stock_way():
    layer = FastConvTranspose2d(2, 1, 4, stride=2, padding=1)
    x = torch.randn(1, 2, 4, 4)
    layer.kernel = "sub_pixel"
    assert layer(x, [9, 9]).shape == (1, 1, 9, 9)


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_upsampling_is_torchs_interpolation(mode):
    layer = UpsampleConv2d(2, 1, 3, (4, 5), (7, 10), mode)
    x = torch.randn(1, 2, 4, 5)
    expected = F.conv2d(F.interpolate(x, (7, 10), mode=mode), layer.weight, layer.bias, padding=1)
    assert torch.equal(layer(x), expected)


DECODERS = [("transposed", 2, 3), ("transposed", 3, 3), ("transposed", 4, 3), ("nearest", 3, 2)]


@pytest.mark.parametrize(("upsampling", "kernel_size", "num_chosen"), DECODERS)
def test_a_whole_decoder_gives_the_same_image_in_every_way(upsampling, kernel_size, num_chosen):
    """An image of 36x44 comes from 18x22, 9x11 and 5x6 (or 4x5): upsampling the last is no doubling."""
    torch.manual_seed(0)
    setting = ConvDecoder(widths=(16, 8, 8), kernels=(kernel_size,), upsampling=upsampling)
    decoder = setting.build(4, (3, 36, 44)).double().eval()
    z = torch.randn(5, 4, dtype=torch.float64)
    expected = decoder(z)
    for kernel in NAMES[1:]:
        chosen = [layer for layer in decoder if kernel in kernels(layer)]
        assert len(chosen) == num_chosen
        for layer in chosen:
            layer.kernel = kernel
        torch.testing.assert_close(decoder(z), expected, rtol=1e-10, atol=1e-12)
