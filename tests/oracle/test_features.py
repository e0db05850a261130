"""Distances and neighbourhoods of features against scipy's root of matrices, loops, and Gaussians in closed form."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import norm

from vaelab.errors import InputError
from vaelab.metrics._features import usable
from vaelab.metrics.classifier_accuracy import classifier_accuracy
from vaelab.metrics.classifier_agreement import classifier_agreement
from vaelab.metrics.frechet_distance import frechet_distance
from vaelab.metrics.kernel_distance import kernel_distance
from vaelab.metrics.sample_coverage import sample_coverage
from vaelab.metrics.sample_density import sample_density
from vaelab.metrics.sample_precision import sample_precision
from vaelab.metrics.sample_recall import sample_recall

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 3)) @ RANDOM.normal(size=(3, 3))
Y = 0.5 + RANDOM.normal(size=(40, 3)) @ RANDOM.normal(size=(3, 3))
OF_BALLS = [sample_precision, sample_recall, sample_density, sample_coverage]
OF_FEATURES = [frechet_distance, kernel_distance, *OF_BALLS]


def gaussians(count, means, scales, seed):
    return means + scales * np.random.default_rng(seed).normal(size=(count, len(means)))


def test_frechet_is_heusels_formula_with_the_root_of_scipy():
    s, t = np.cov(X.T), np.cov(Y.T)
    formula = np.square(X.mean(0) - Y.mean(0)).sum() + np.trace(s + t - 2 * sqrtm(s @ t).real)
    assert frechet_distance(X, Y)[0].value == pytest.approx(formula, rel=1e-9)
    assert frechet_distance(X, X)[0].value == pytest.approx(0, abs=1e-9)


def test_frechet_of_known_gaussians_and_its_null():
    means, scales, others = np.array([1.0, 0.0]), np.array([1.0, 2.0]), np.array([3.0, 0.5])
    x, y = gaussians(50_000, 0 * means, scales, 1), gaussians(50_000, means, others, 2)
    score = frechet_distance(x, y)[0]
    assert score.value == pytest.approx(1 + np.square(scales - others).sum(), rel=0.02)
    assert score.interval[0] < 1 + np.square(scales - others).sum() < score.interval[1]
    alike = frechet_distance(X, np.repeat(X.mean(0, keepdims=True), len(X), axis=0))[0]
    assert alike.value == pytest.approx(alike.null, rel=1e-9)


def test_the_kernel_distance_is_that_of_loops_over_pairs():
    def k(a, b):
        return (sum(p * q for p, q in zip(a, b, strict=True)) / 3 + 1) ** 3

    def within(z):
        return np.mean([k(z[i], z[j]) for i, j in itertools.permutations(range(len(z)), 2)])

    expected = within(X) + within(Y) - 2 * np.mean([k(a, b) for a in X for b in Y])
    assert kernel_distance(X, Y)[0].value == pytest.approx(expected, rel=1e-9)
    alike = kernel_distance(X, np.repeat(X.mean(0, keepdims=True), len(X), axis=0))[0]
    assert alike.value == pytest.approx(alike.null, rel=1e-9)


def test_the_kernel_distance_of_one_kind_has_no_bias_and_its_interval_holds_the_truth():
    found = [
        kernel_distance(*np.random.default_rng(seed).normal(size=(2, 100, 4)).astype(np.float32))[0]
        for seed in range(60)
    ]
    values = np.array([score.value for score in found])
    assert abs(values.mean()) < 3 * values.std() / math.sqrt(60)
    assert np.mean([low <= 0 <= high for low, high in (score.interval for score in found)]) > 0.9


def test_intervals_are_as_wide_as_the_spread_of_fresh_draws():
    scores = [
        (frechet_distance(x, y)[0], kernel_distance(x, y)[0])
        for x, y in ((gaussians(300, np.zeros(3), 1, s), gaussians(300, np.ones(3), 1, 99 + s)) for s in range(40))
    ]
    for each in zip(*scores, strict=True):
        spread = np.std([score.value for score in each]) * 2 * 1.96
        width = np.mean([score.interval[1] - score.interval[0] for score in each])
        assert 0.7 < width / spread < 1.6


def by_loops(x, y, k):
    """Precision, recall, density and coverage as the papers say them, one distance at a time."""

    def reach(z):
        return [sorted(math.dist(a, b) for b in z)[k] for a in z]

    r, s = reach(x), reach(y)
    precision = np.mean([any(math.dist(b, a) <= d for a, d in zip(x, r, strict=True)) for b in y])
    recall = np.mean([any(math.dist(a, b) <= d for b, d in zip(y, s, strict=True)) for a in x])
    density = np.mean([sum(math.dist(b, a) <= d for a, d in zip(x, r, strict=True)) / k for b in y])
    coverage = np.mean([any(math.dist(b, a) <= d for b in y) for a, d in zip(x, r, strict=True)])
    return precision, recall, density, coverage


@pytest.mark.parametrize("k", [1, 3, 5])
def test_balls_are_those_of_loops(k):
    found = [metric(X, Y, num_neighbours=k)[0].value for metric in OF_BALLS]
    assert found == pytest.approx(by_loops(X, Y, k), rel=1e-12)
    assert 0 < found[0] < 1
    assert 0 < found[3] < 1


def test_what_is_expected_of_samples_of_the_images_kind():
    x, y = np.random.default_rng(3).normal(size=(2, 2000, 2))
    assert sample_density(x, y)[0].value == pytest.approx(1, abs=0.05)
    assert sample_coverage(x, y)[0].value == pytest.approx(1 - 2**-5, abs=0.015)


def test_an_outlier_lifts_precision_and_not_density():
    """Naeem et al. 2020, section 2.2: one far image has a ball that holds what lies between."""
    x = np.random.default_rng(4).normal(size=(200, 2))
    x[0], y = 20, np.full((200, 2), 10.0) + np.random.default_rng(5).normal(size=(200, 2))
    assert sample_precision(x, y)[0].value > 0.9
    assert sample_density(x, y)[0].value < 0.25


def test_copies_change_nothing_and_samples_that_are_all_alike_cover_one_place():
    for metric in OF_BALLS:
        assert metric(np.tile(X, (3, 1)), np.tile(Y, (3, 1)))[0].value == pytest.approx(metric(X, Y)[0].value)
    alike = np.repeat(X[:1], len(X), axis=0)
    assert sample_precision(X, alike)[0].value == 1
    assert sample_recall(X, alike)[0].value == 1 / len(X)
    assert sample_coverage(X, alike)[0].value < 0.3


@pytest.mark.parametrize("metric", OF_FEATURES)
def test_what_cannot_be_measured_has_a_reason(metric):
    odd = X.copy()
    odd[3, 1] = np.nan
    cases = {"fewer than 2 images": X[:1], "not finite": odd, "differ in their features": 0 * X}
    for reason, images in cases.items():
        score = metric(images, images)[0]
        assert np.isnan(score.value)
        assert reason in score.reason
    if metric in OF_BALLS:
        assert "no more than 4" in metric(X[:4], Y[:4], num_neighbours=4)[0].reason
    with pytest.raises(InputError, match=r"sample_features should be of the shape of image_features"):
        usable(X, Y[:-1], "sample_features", 9)


def test_agreement_by_chance_and_accuracy_by_the_commonest_class():
    random = np.random.default_rng(6)
    mine, other = random.choice(3, 5000, p=[0.6, 0.3, 0.1]), random.choice(3, 5000, p=[0.2, 0.3, 0.5])
    whole, *parts = classifier_agreement(mine, other, ["a", "b", "c"])
    assert [part.part for part in parts] == ["a", "b", "c"]
    assert whole.value == pytest.approx(whole.null, abs=0.03)
    assert whole.null == pytest.approx(0.12 + 0.09 + 0.05, abs=0.03)
    assert [part.null for part in parts] == pytest.approx([0.2, 0.3, 0.5], abs=0.03)
    assert "one class" in classifier_agreement(0 * mine, other)[0].reason
    score = classifier_accuracy(0 * mine, mine)[0]
    assert score.value == score.null == pytest.approx(0.6, abs=0.03)
    assert classifier_accuracy(mine[:2], np.array([-1, -1]))[0].value == 0


def test_the_share_of_a_shifted_normal_in_the_balls_of_another():
    """Along one line the images' balls are one interval, from their smallest to their largest, and a little beyond."""
    x, y = np.sort(np.random.default_rng(7).normal(size=(2, 1000)))
    expected = norm.cdf(x[-1] - 2) - norm.cdf(x[0] - 2)
    assert sample_precision(x[:, None], y[:, None] + 2)[0].value == pytest.approx(expected, abs=0.03)
