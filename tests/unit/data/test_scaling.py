"""Scaling: against NumPy on the whole array, and there and back again."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vaelab.data import scaling as scaling_module
from vaelab.data import stored as stored_module
from vaelab.data.scaling import Intensity, Scaling
from vaelab.errors import InputError

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))


@given(
    images=st.sampled_from([np.uint8, np.uint16]).flatmap(lambda kind: arrays.arrays(kind, SHAPES)),
    of_range=st.sampled_from(["type", "min_max"]),
    square_root=st.booleans(),
)
def test_whole_numbers_come_back_exactly(images, of_range, square_root):
    intensity = Scaling(range=of_range, square_root=square_root).fit(images, np.arange(len(images)))
    scaled = intensity.apply(images)
    assert scaled.dtype == np.float32
    assert scaled.min() >= 0
    assert scaled.max() <= 1
    np.testing.assert_array_equal(np.rint(intensity.invert(scaled)), images)


@given(
    images=arrays.arrays(np.float32, SHAPES, elements=st.floats(-1000, 1000, width=32)),
    square_root=st.booleans(),
)
def test_floats_come_back_inside_the_range(images, square_root):
    intensity = Scaling(range="percentile", low=10, high=80, square_root=square_root).fit(
        images, np.arange(len(images))
    )
    lo, hi = (np.array(ends, np.float32)[:, None, None] for ends in (intensity.lo, intensity.hi))
    back = intensity.invert(intensity.apply(images.astype(np.float64)))
    inside = (images >= lo) & (images <= hi) & (lo < hi)
    np.testing.assert_allclose(back[inside], images[inside], rtol=1e-6, atol=1e-3)
    np.testing.assert_allclose(back, np.clip(images, lo, hi), rtol=1e-6, atol=1e-3)


@given(images=arrays.arrays(np.uint16, SHAPES), square_root=st.booleans())
def test_tensors_and_arrays_give_the_same(images, square_root):
    intensity = Scaling(range="min_max", square_root=square_root).fit(images, np.arange(len(images)))
    by_numpy, by_torch = intensity.apply(images), intensity.apply(torch.from_numpy(images))
    np.testing.assert_allclose(by_numpy, by_torch.numpy(), atol=1e-6)
    np.testing.assert_allclose(intensity.invert(by_numpy), intensity.invert(by_torch).numpy(), rtol=1e-5)


def test_percentiles_are_numpys_and_only_of_the_rows_given(monkeypatch):
    images = np.random.default_rng(1).integers(0, 4000, (60, 2, 16, 16)).astype(np.uint16)
    images[:, 1] //= 10
    images[40:] = 65535
    monkeypatch.setattr(stored_module, "CHUNK_BYTES", 3000)
    rows = np.arange(40)
    found = Scaling(range="percentile", low=1, high=99).fit(images, rows)
    np.testing.assert_allclose(found.lo, np.percentile(images[:40], 1, axis=(0, 2, 3)))
    np.testing.assert_allclose(found.hi, np.percentile(images[:40], 99, axis=(0, 2, 3)))
    extremes = Scaling(range="min_max").fit(images, rows)
    np.testing.assert_array_equal(extremes.lo, images[:40].min((0, 2, 3)))
    np.testing.assert_array_equal(extremes.hi, images[:40].max((0, 2, 3)))


def test_percentiles_of_a_sample_are_close_and_seeded(monkeypatch):
    images = np.random.default_rng(2).normal(size=(4000, 1, 8, 8)).astype(np.float32)
    exact = Scaling(range="percentile", low=5, high=95).fit(images, np.arange(4000))
    monkeypatch.setattr(scaling_module, "SAMPLE_VALUES", 64 * 1000)
    first, second = (Scaling(range="percentile", low=5, high=95).fit(images, np.arange(4000)) for _ in range(2))
    assert first == second
    assert first != exact
    assert first.lo[0] == pytest.approx(exact.lo[0], abs=0.05)


def test_a_constant_channel_is_zero_and_comes_back():
    images = np.full((3, 2, 4, 4), 7, np.uint8)
    images[:, 1, 0] = 9
    intensity = Scaling(range="min_max").fit(images, np.arange(3))
    assert (intensity.apply(images)[:, 0] == 0).all()
    np.testing.assert_array_equal(intensity.invert(intensity.apply(images)), images)


def test_percentiles_that_are_equal_are_widened_and_a_nearly_constant_channel_is_named():
    images = np.random.default_rng(0).integers(90, 3000, (40, 3, 16, 16)).astype(np.uint16)
    images[:, 1] = 0
    images[:, 1, 3, 3] = np.arange(8000, 8040)
    images[:, 2] = 7
    images[0, 1, 0, 0] = images[1, 1, 0, 0] = 1
    rows, names = np.arange(30), ("DNA", "spots", "empty")
    scaling = Scaling(range="percentile", low=1, high=99)
    found = scaling.fit(images, rows)
    assert (found.lo[1:], found.hi[1:]) == ((0, 7), (8029, 7))
    assert (found.lo[0], found.hi[0]) == tuple(np.percentile(images[rows, 0], [1, 99]))
    spots, empty = scaling_module.faint_channels(images, rows, found, names)
    assert spots.startswith("channel 'spots' is nearly constant: 99.61% of its pixels")
    assert "(0 to 8029)" in spots
    assert empty.startswith("channel 'empty' is constant")
    dark = scaling_module.faint_channels(images // 10, rows, Scaling().fit(images, rows), names)
    assert len(dark) == 3


@pytest.mark.parametrize("square_root", [False, True])
def test_a_photograph_whose_channels_were_scaled_apart_is_shown_as_stored(square_root):
    brown_on_green = np.full((1, 3, 4, 4), 50, np.uint8)
    brown_on_green[:, 1] = 120
    brown_on_green[0, :, 1:3, 1:3] = np.array([120, 80, 40])[:, None, None]
    intensity = Scaling(range="percentile", square_root=square_root).fit(brown_on_green, np.arange(1))
    assert intensity.distorts(("red", "green", "blue"), "uint8")
    assert intensity.distorts(("0", "1", "2"), "uint8")
    assert not intensity.distorts(("DNA", "actin", "tubulin"), "uint8")
    shown = intensity.as_photograph(intensity.apply(brown_on_green), "uint8")
    np.testing.assert_array_equal(np.rint(255 * shown), brown_on_green)
    assert not Scaling().fit(brown_on_green, np.arange(1)).distorts(("red", "green", "blue"), "uint8")
    deep = Intensity(lo=(-1.0, 0.0, 0.0), hi=(3.0, 1.0, 1.0))
    np.testing.assert_allclose(deep.as_photograph(np.ones((3, 1, 1)), "float32").ravel(), [1, 0.5, 0.5])


def test_the_type_range_divides_by_its_largest_value():
    assert Scaling().fit(np.zeros((1, 2, 4, 4), np.uint16), np.arange(1)) == Intensity(lo=(0, 0), hi=(65535, 65535))
    assert Scaling().fit(np.zeros((1, 1, 4, 4), np.float32), np.arange(1)) == Intensity(lo=(0,), hi=(1,))
    assert Intensity(lo=(0,), hi=(255,)).apply(np.full((1, 1, 1), 255, np.uint8)).item() == 1


def test_floats_outside_the_unit_range_are_refused_with_the_mend():
    images = np.zeros((5, 1, 4, 4), np.float32)
    images[3] = 1.5
    with pytest.raises(
        InputError, match=r"lie in \[0, 1\].*got \[0, 1.5\]. Set scaling.range to min_max or percentile"
    ):
        Scaling().fit(images, np.arange(2))
    assert Scaling(range="min_max").fit(images, np.arange(5)).hi == (1.5,)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("of_range", ["type", "min_max", "percentile"])
def test_values_that_are_no_numbers_are_counted(value, of_range, monkeypatch):
    monkeypatch.setattr(stored_module, "CHUNK_BYTES", 64)
    images = np.zeros((6, 1, 4, 4), np.float32)
    images[4, 0, 1, 1] = images[5, 0, 0, :2] = value
    with pytest.raises(InputError, match="3 that are NaN or infinite, the first in row 4"):
        Scaling(range=of_range).fit(images, np.arange(3))


@pytest.mark.parametrize(("low", "high"), [(50, 50), (-1, 99), (1, 101), (99, 1), (float("nan"), 99)])
def test_percentiles_must_be_ordered(low, high):
    with pytest.raises(InputError, match=r"^(low should be below high|(low|high) should be .*from 0 to 100)"):
        Scaling(low=low, high=high)
