"""Intervals against SciPy, normal theory, coverage, and plain resampling."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap
from vaelab.evaluation.active_units import active_units
from vaelab.evaluation.fit import fit

from vaelab.evaluation import fits, interval, mean_score


def test_it_is_the_percentile_bootstrap_of_scipy():
    values = np.random.default_rng(0).gamma(2, 30, 200) - 100
    expected = bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", random_state=1)
    low, high = interval(values)
    width = expected.confidence_interval.high - expected.confidence_interval.low
    assert low == pytest.approx(expected.confidence_interval.low, abs=0.08 * width)
    assert high == pytest.approx(expected.confidence_interval.high, abs=0.08 * width)


@pytest.mark.parametrize("count", [10_000, 10_001, 25_000, 100_000])
def test_for_many_images_it_is_the_normal_interval(count):
    values = np.random.default_rng(1).exponential(5, count) - 90
    low, high = interval(values)
    error = 1.96 * values.std() / np.sqrt(count)
    assert low == pytest.approx(values.mean() - error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + error, abs=0.15 * error)


def test_it_covers_the_truth_in_19_cases_of_20():
    random = np.random.default_rng(2)
    intervals = [interval(random.normal(3, 2, 100)) for _ in range(400)]
    covered = np.mean([low < 3 < high for low, high in intervals])
    assert 0.91 < covered < 0.98


def test_it_is_exact_far_from_zero():
    values = np.random.default_rng(3).normal(0, 0.001, 500)
    low, high = interval(values)
    far_low, far_high = interval(values - 20_000)
    assert far_low == pytest.approx(low - 20_000, abs=1e-7)
    assert far_high == pytest.approx(high - 20_000, abs=1e-7)


def test_one_image_has_none_and_equal_ones_have_no_width():
    assert interval(np.array([1.0])) is None
    assert interval(np.full(5, 2.5)) == (2.5, 2.5)
    assert mean_score(np.array([1.0]), "dB", "higher", "").count == 1


def test_active_units_by_counting():
    random = np.random.default_rng(4)
    scales = np.array([1.0, 0.5, 0.105, 0.1, 0.095, 0.01, 0.0])
    loc = (5 + random.normal(size=(300, 7)) * scales).astype(np.float32)
    score = active_units(loc)
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
    np.testing.assert_allclose(active_units(loc).interval, np.quantile(counts, [0.025, 0.975]), atol=12)


def test_fits_are_robust_z_scores():
    random = np.random.default_rng(5)
    distortions = random.normal(100, 7, 50_000)
    np.testing.assert_allclose(fits(distortions), -(distortions - 100) / 7, atol=0.06)
    assert fit(distortions).value == pytest.approx(1, abs=1e-3)
    distortions[:500] = 1000
    assert (fits(distortions)[:500] < -100).all()
    assert fit(distortions).value == pytest.approx(0.99, abs=1e-3)
    assert fits(np.full(4, 3.0)).tolist() == [0, 0, 0, 0]
