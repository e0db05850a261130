"""Intrinsic dimension of shapes whose dimension is known, and by scikit-dimension 0.5.0 (numpy 2.4.6)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.datasets import make_swiss_roll

from vaelab.metrics import intrinsic_dimension as module
from vaelab.metrics.intrinsic_dimension import intrinsic_dimension


def turned(x, columns=12):
    """The same shape in more dimensions."""
    axes = np.linalg.qr(np.random.default_rng(9).normal(size=(columns, columns)))[0][: x.shape[1]]
    return x @ axes


def sphere(dimensions, count):
    x = np.random.default_rng(0).normal(size=(count, dimensions + 1))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_as_scikit_dimension():
    """TwoNN(method="mle", discard_fraction=0.1) and MLE with 20 neighbours, averaged in the manner of MacKay."""
    two, many = intrinsic_dimension(np.random.default_rng(3).random((1000, 5)))
    assert two.value == pytest.approx(4.698752238659466)
    assert many.value == pytest.approx(4.376944699987692)


def test_by_sorted_distances():
    x = np.random.default_rng(1).normal(size=(300, 4))
    r = np.sort(cdist(x, x), 1)[:, 1:]
    ratios = np.sort(np.log(r[:, 1] / r[:, 0]))
    by_hand = 269 / (ratios[:270].sum() + 30 * ratios[269])
    inverse = [np.mean([np.log(row[6] / row[j]) for j in range(6)]) for row in r]
    two, many = intrinsic_dimension(x, num_neighbours=7)
    assert (two.value, many.value) == (pytest.approx(by_hand), pytest.approx(1 / np.mean(inverse)))


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
@pytest.mark.parametrize("shape", ["cube", "sphere"])
def test_of_shapes(dimensions, shape):
    x = np.random.default_rng(0).random((4000, dimensions)) if shape == "cube" else sphere(dimensions, 4000)
    two, many = intrinsic_dimension(turned(x))
    assert two.value == pytest.approx(dimensions, rel=0.08)
    assert many.value == pytest.approx(dimensions, rel=0.1)
    for score in (two, many):
        low, high = score.interval
        assert low < score.value < high
        assert high - low < 0.1 * dimensions + 0.05


def test_of_a_rolled_sheet():
    for score in intrinsic_dimension(turned(make_swiss_roll(5000, random_state=0)[0])):
        assert score.value == pytest.approx(2, abs=0.1)


def test_it_is_too_low_for_many_dimensions_as_is_said():
    two, many = intrinsic_dimension(np.random.default_rng(0).random((10_000, 10)))
    assert two.value == pytest.approx(8.8, abs=0.15)
    assert many.value == pytest.approx(8.5, abs=0.15)


def test_repeated_codes_have_the_neighbours_of_one(monkeypatch):
    x = np.random.default_rng(2).random((500, 2))
    once, twice = intrinsic_dimension(x), intrinsic_dimension(np.repeat(x, 2, axis=0))
    assert [score.value for score in twice] == pytest.approx([score.value for score in once], rel=0.01)
    monkeypatch.setattr(module, "MOST_IMAGES", 300)
    assert intrinsic_dimension(x)[0].count == 300


@pytest.mark.parametrize("codes", [np.ones((50, 3)), np.ones((1, 2)), np.zeros((0, 2)), np.full((50, 2), np.nan)])
def test_without_a_neighbourhood_there_is_no_number_and_a_reason(codes):
    (score,) = intrinsic_dimension(codes)
    assert np.isnan(score.value)
    assert score.reason
