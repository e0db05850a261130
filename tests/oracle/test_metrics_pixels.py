"""Pixel errors against scikit-learn, scikit-image's numbers and explicit loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error, mean_squared_error

from vaelab.metrics.mae import mae
from vaelab.metrics.mse import mse
from vaelab.metrics.psnr import psnr
from vaelab.metrics.ssim import ssim


@pytest.fixture(scope="module")
def pair():
    random = torch.Generator().manual_seed(0)
    x = torch.rand(6, 3, 14, 17, generator=random, dtype=torch.float64)
    return x, (x + 0.2 * torch.randn(x.shape, generator=random, dtype=torch.float64)).clamp(0, 1)


def flat(images):
    return images.numpy().reshape(len(images), -1)


def test_mse_and_mae_are_those_of_scikit_learn(pair):
    x, y = pair
    assert mse(x.numpy(), y.numpy())[0].value == pytest.approx(mean_squared_error(flat(x), flat(y)), rel=1e-12)
    assert mae(x.numpy(), y.numpy())[0].value == pytest.approx(mean_absolute_error(flat(x), flat(y)), rel=1e-12)


def test_of_one_channel_they_are_those_of_that_channel(pair):
    x, y = pair
    for channel in range(3):
        part = next(score for score in mse(x.numpy(), y.numpy()) if score.part == str(channel))
        assert part.value == pytest.approx(mean_squared_error(flat(x[:, channel]), flat(y[:, channel])), rel=1e-12)


def test_psnr_is_the_mean_of_the_images_own(pair):
    x, y = pair
    decibels = [-10 * math.log10(mean_squared_error(a, b)) for a, b in zip(flat(x), flat(y), strict=True)]
    assert psnr(x.numpy(), y.numpy())[0].value == pytest.approx(np.mean(decibels), rel=1e-12)


def test_an_exact_reconstruction_is_at_the_ceilings(pair):
    x, _ = pair
    score = psnr(x.numpy(), x.numpy())[0]
    assert score.value == score.ceiling == 100
    score = ssim(x.numpy(), x.numpy())[0]
    assert score.value == pytest.approx(score.ceiling, abs=1e-12)


def wang(x, y):
    """SSIM of two planes, as section III of the paper says it, one window at a time."""
    tall, wide = (min(11, side - 1 + side % 2) for side in x.shape)
    rows, columns = (np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * 1.5**2)) for size in (tall, wide))
    w = np.outer(rows, columns) / np.outer(rows, columns).sum()
    c1, c2 = 0.01**2, 0.03**2
    values = []
    for i in range(x.shape[0] - tall + 1):
        for j in range(x.shape[1] - wide + 1):
            a, b = x[i : i + tall, j : j + wide], y[i : i + tall, j : j + wide]
            ma, mb = (w * a).sum(), (w * b).sum()
            va, vb, cov = (w * (a - ma) ** 2).sum(), (w * (b - mb) ** 2).sum(), (w * (a - ma) * (b - mb)).sum()
            values.append((2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return np.mean(values)


@pytest.mark.parametrize(("height", "width"), [(14, 17), (11, 11), (8, 8), (9, 10), (20, 8)])
def test_ssim_is_that_of_the_paper(height, width):
    random = np.random.default_rng(1)
    x = random.random((2, 2, height, width))
    y = np.clip(x + random.normal(0, 0.1, x.shape), 0, 1)
    expected = [[wang(x[i, c], y[i, c]) for c in range(2)] for i in range(2)]
    np.testing.assert_allclose(ssim.values(x, y), expected, rtol=1e-9)


def test_the_numbers_are_those_of_scikit_image():
    """Frozen from scikit-image 0.26.0: structural_similarity(data_range=1, gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False), peak_signal_noise_ratio(data_range=1), mean_squared_error."""
    i, j = np.mgrid[0:24, 0:20]
    a = ((7 * i + 13 * j + i * j) % 32) / 31
    b = np.clip(0.8 * a + ((3 * i + 5 * j) % 16) / 80, 0, 1)
    x, y = a[None, None], b[None, None]
    assert ssim(x, y)[0].value == pytest.approx(0.9620843924302952, rel=1e-12)
    assert psnr(x, y)[0].value == pytest.approx(22.01929564404278, rel=1e-12)
    assert mse(x, y)[0].value == pytest.approx(0.006281602280610473, rel=1e-12)


def test_float32_images_give_the_same_numbers(pair):
    x, y = pair
    np.testing.assert_allclose(
        ssim.values(x.float().numpy(), y.float().numpy()), ssim.values(x.numpy(), y.numpy()), atol=1e-5
    )
