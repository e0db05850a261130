"""Sharpness against Parseval's identity, transforms written out, and blurs whose loss is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from vaelab.metrics.sharpness import sharpness

IMAGES = np.random.default_rng(0).random((4, 2, 12, 17))
OTHERS = np.random.default_rng(1).random((4, 2, 12, 17)) ** 2
ROUNDING = 1 / (12 * 255**2)


def axis(length):
    """(frequency, pixel): the cosines, each of length 1."""
    k, n = np.arange(length)[:, None], np.arange(length)
    return np.sqrt((2 - (k == 0)) / length) * np.cos(np.pi * k * (2 * n + 1) / (2 * length))


def power(image, cutoff):
    """Per pixel at the frequencies beyond the cutoff, one frequency after another."""
    height, width = image.shape
    amplitudes = axis(height) @ image @ axis(width).T
    fine = [(i, j) for i in range(height) for j in range(width) if np.hypot(i / 2 / height, j / 2 / width) >= cutoff]
    return sum(amplitudes[i, j] ** 2 for i, j in fine) / image.size, len(fine) / image.size


def fourier(image, cutoff):
    """The same by Fourier's transform."""
    down, right = (np.fft.fftfreq(side) for side in image.shape)
    powers = np.abs(np.fft.fft2(image, norm="ortho")) ** 2
    return powers[np.hypot(down[:, None], right) >= cutoff].sum() / image.size


@pytest.mark.parametrize("cutoff", [0.1, 0.25, 0.45])
def test_it_is_the_power_of_cosines_one_by_one(cutoff):
    found = sharpness.values(IMAGES, OTHERS, cutoff=cutoff)
    for i, (x, y) in enumerate(zip(IMAGES, OTHERS, strict=True)):
        for channel in range(2):
            (before, share), (after, _) = power(x[channel], cutoff), power(y[channel], cutoff)
            ratio = (after + share * ROUNDING) / (before + share * ROUNDING)
            assert found[i, channel] == pytest.approx(10 * np.log10(ratio), abs=1e-9)


def test_all_frequencies_together_hold_the_squares_of_the_pixels():
    squares = [np.square(x).mean((-2, -1)) + ROUNDING for x in (OTHERS, IMAGES)]
    found = sharpness.values(IMAGES, OTHERS, cutoff=0.0)
    np.testing.assert_allclose(found, 10 * np.log10(squares[0] / squares[1]), atol=1e-9)


def test_a_wave_is_counted_on_its_side_of_the_cutoff_and_edges_that_differ_are_no_detail():
    place = np.arange(32) + 0.5
    slow, fast = (np.tile(0.5 + 0.4 * np.cos(2 * np.pi * f * place), (1, 1, 32, 1)) for f in (0.125, 0.375))
    assert sharpness(slow + fast / 10, slow)[0].value < -20
    assert sharpness(slow + fast / 10, slow + fast / 20)[0].value == pytest.approx(-20 * np.log10(2), abs=0.03)
    ramp = np.tile(place / 32, (1, 1, 32, 1))  # its two edges differ, which Fourier's transform takes for detail
    assert power(ramp[0, 0], 0.25)[0] < 1e-5 < fourier(ramp[0, 0], 0.25)
    assert sharpness(np.full_like(ramp, 0.5), ramp)[0].value < 15


def test_white_noise_loses_what_a_blur_takes_and_more_blur_takes_more():
    noise = np.random.default_rng(2).random((20, 1, 64, 64))
    values = [
        sharpness(noise, gaussian_filter(noise, (0, 0, width, width), mode="reflect"))[0].value
        for width in (0.3, 0.6, 1.2)
    ]
    assert 0 > values[0] > values[1] > values[2]
    impulse = gaussian_filter(np.eye(1, 31, 15)[0], 0.6)
    response = np.cos(np.pi * np.arange(64)[:, None] / 64 * (np.arange(31) - 15)) @ impulse
    fine = np.hypot(np.arange(64)[:, None], np.arange(64)) / 128 >= 0.25
    kept = np.square(np.outer(response, response))[fine].mean()
    assert values[1] == pytest.approx(10 * np.log10(kept), abs=0.05)


def test_images_without_detail_have_a_number():
    flat = np.full((3, 1, 8, 8), 0.5)
    assert sharpness(flat, flat)[0].value == 0
    assert sharpness(flat, IMAGES[:3, :1, :8, :8])[0].value > 20
    assert sharpness(IMAGES[:3, :1, :8, :8], flat)[0].value < -20
    assert sharpness(flat[:1, :, :1, :1], flat[:1, :, :1, :1])[0].value == 0
