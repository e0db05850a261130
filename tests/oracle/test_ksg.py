"""Mutual information by neighbours against Gaussians in closed form, scikit-learn's estimates and counts by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

from vaelab.metrics._ksg import ksg, ksg_of_kinds

RANDOM = np.random.default_rng(0)


def gaussians(correlation, count=4000, columns=1):
    """Pairs of normal numbers, and what they share in nats: -columns / 2 log(1 - correlation^2)."""
    x, noise = np.random.default_rng(1).normal(size=(2, count, columns))
    return x, correlation * x + np.sqrt(1 - correlation**2) * noise, -columns / 2 * np.log(1 - correlation**2)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("columns", [1, 2])
def test_of_correlated_gaussians(correlation, columns):
    x, y, truth = gaussians(correlation, columns=columns)
    shares = ksg(x, y)
    assert shares.mean() == pytest.approx(truth, abs=0.06 + 0.05 * truth)
    assert ksg(y, x).mean() == pytest.approx(shares.mean(), abs=1e-9)
    assert ksg(5 * x + 3, -y).mean() == pytest.approx(shares.mean(), abs=1e-9), "units do not matter"


@pytest.mark.parametrize("num_neighbours", [3, 7])
def test_it_is_the_estimate_of_scikit_learn(num_neighbours):
    x, y, _ = gaussians(0.7, 800)
    theirs = mutual_info_regression(x, y[:, 0], n_neighbors=num_neighbours, random_state=0)[0]
    assert ksg(x, y, num_neighbours).mean() == pytest.approx(theirs, abs=1e-6)
    kinds = np.digitize(y[:, 0] + RANDOM.normal(size=800), [-1, 0.5])
    theirs = mutual_info_classif(x, kinds, n_neighbors=num_neighbours, random_state=0)[0]
    assert ksg_of_kinds(x, kinds, num_neighbours).mean() == pytest.approx(theirs, abs=1e-6)


def test_by_counting():
    x, y = RANDOM.normal(size=(40, 2)), RANDOM.normal(size=(40, 3))
    x, y = (x - x.mean(0)) / x.std(0), (y - y.mean(0)) / y.std(0)
    in_x, in_y = (np.abs(a[:, None] - a).max(2) for a in (x, y))
    expected = []
    for i in range(40):
        radius = np.sort(np.maximum(in_x[i], in_y[i]))[4]
        near_x, near_y = ((distances[i] < radius).sum() - 1 for distances in (in_x, in_y))
        expected.append(digamma(4) + digamma(40) - digamma(near_x + 1) - digamma(near_y + 1))
    np.testing.assert_allclose(ksg(x, y, 4), expected, rtol=1e-9)


def test_kinds_that_are_told_apart_share_their_entropy():
    kinds = RANDOM.integers(4, size=3000)
    x = RANDOM.normal(size=(3000, 2)) + 50 * np.stack([kinds % 2, kinds // 2], 1)
    assert ksg_of_kinds(x, kinds).mean() == pytest.approx(np.log(4), abs=0.01)
    assert ksg_of_kinds(RANDOM.normal(size=(3000, 2)), kinds).mean() == pytest.approx(0, abs=0.03)


def test_what_shows_nothing_is_no_number():
    x = RANDOM.normal(size=50)
    assert np.isnan(ksg(x[:3], x[:3])).all(), "no more images than neighbours"
    assert np.isnan(ksg(x, np.ones(50))).all()
    assert np.isnan(ksg_of_kinds(x, np.arange(50))).all(), "each of its own kind"
    assert np.isnan(ksg_of_kinds(np.ones(50), np.arange(50) % 2)).all()
    alone = ksg_of_kinds(x, np.r_[np.zeros(25), np.ones(24), 2])
    assert np.isnan(alone[-1])
    assert np.isfinite(alone[:-1]).all()


def test_repeated_values_are_parted_alike_each_time():
    x = RANDOM.integers(3, size=500).astype(float)
    first = ksg(x, x + RANDOM.normal(size=500))
    assert np.isfinite(first).all()
    y = x + 1
    np.testing.assert_array_equal(ksg(x, y), ksg(x, y))
