"""Intervals against SciPy, normal theory, coverage, and plain resampling."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from vaelab.metrics import interval, interval_of_means, mean_score
from vaelab.metrics.active_units import active_units
from vaelab.metrics.fit import fit


def test_it_is_the_percentile_bootstrap_of_scipy():
    values = np.random.default_rng(0).gamma(2, 30, 200) - 100
    expected = bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", random_state=1)
    low, high = interval_of_means(values)
    width = expected.confidence_interval.high - expected.confidence_interval.low
    assert low == pytest.approx(expected.confidence_interval.low, abs=0.08 * width)
    assert high == pytest.approx(expected.confidence_interval.high, abs=0.08 * width)


@pytest.mark.parametrize("count", [10_000, 10_001, 25_000, 100_000])
def test_for_many_images_it_is_the_normal_interval(count):
    values = np.random.default_rng(1).exponential(5, count) - 90
    low, high = interval_of_means(values)
    error = 1.96 * values.std() / np.sqrt(count)
    assert low == pytest.approx(values.mean() - error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + error, abs=0.15 * error)


def test_it_covers_the_truth_in_19_cases_of_20():
    random = np.random.default_rng(2)
    intervals = [interval_of_means(random.normal(3, 2, 100)) for _ in range(400)]
    covered = np.mean([low < 3 < high for low, high in intervals])
    assert 0.91 < covered < 0.98


def test_it_is_exact_far_from_zero():
    values = np.random.default_rng(3).normal(0, 0.001, 500)
    low, high = interval_of_means(values)
    far_low, far_high = interval_of_means(values - 20_000)
    assert far_low == pytest.approx(low - 20_000, abs=1e-7)
    assert far_high == pytest.approx(high - 20_000, abs=1e-7)


def test_one_image_has_none_and_equal_ones_have_no_width():
    assert interval_of_means(np.array([1.0])) is None
    assert interval_of_means(np.full(5, 2.5)) == (2.5, 2.5)
    assert mean_score(np.array([1.0]), "dB").count == 1


def test_of_any_statistic_it_is_that_of_the_same_resamples():
    values = np.random.default_rng(4).gamma(2, 30, 300)
    assert interval(np.mean, values) == pytest.approx(interval_of_means(values), rel=1e-9)
    low, high = interval(lambda a, b: np.corrcoef(a, b)[0, 1], values, values + 30 * np.sin(values))
    assert low < np.corrcoef(values, values + 30 * np.sin(values))[0, 1] < high
    expected = bootstrap((values,), np.median, n_resamples=5000, method="percentile", random_state=1)
    width = expected.confidence_interval.high - expected.confidence_interval.low
    assert interval(np.median, values) == pytest.approx(tuple(expected.confidence_interval), abs=0.15 * width)
    assert interval(np.median, values[:1]) is None
    assert interval(lambda rows: np.nan, values) is None


def test_active_units_by_counting():
    random = np.random.default_rng(4)
    scales = np.array([1.0, 0.5, 0.105, 0.1, 0.095, 0.01, 0.0])
    loc = (5 + random.normal(size=(300, 7)) * scales).astype(np.float32)
    score = active_units(loc)[0]
    assert score.value == sum(np.var(loc[:, i].astype(float)) > 0.01 for i in range(7))
    assert score.ceiling == 7
    rows = random.integers(300, size=(2000, 300))
    counts = [(loc[row].astype(float).var(0) > 0.01).sum() for row in rows]
    assert score.interval == tuple(np.quantile(counts, [0.025, 0.975]))
    assert score.interval[0] < score.interval[1]


def test_active_units_of_few_images_vary_about_each_resamples_own_mean():
    random = np.random.default_rng(6)
    loc = 0.12 * random.normal(size=(5, 400))
    counts = [(loc[random.integers(5, size=5)].var(0) > 0.01).sum() for _ in range(20_000)]
    np.testing.assert_allclose(active_units(loc)[0].interval, np.quantile(counts, [0.025, 0.975]), atol=12)


def test_fits_are_robust_z_scores():
    random = np.random.default_rng(5)
    distortions = random.normal(100, 7, 50_000)
    np.testing.assert_allclose(fit.values(distortions), -(distortions - 100) / 7, atol=0.06)
    assert fit(distortions)[0].value == pytest.approx(1, abs=1e-3)
    distortions[:500] = 1000
    assert (fit.values(distortions)[:500] < -100).all()
    assert fit(distortions)[0].value == pytest.approx(0.99, abs=1e-3)
    assert fit.values(np.full(4, 3.0)).tolist() == [0, 0, 0, 0]
