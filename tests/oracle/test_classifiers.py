"""What is said of classifiers against scikit-learn, closed forms and fresh draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    balanced_accuracy_score,
    confusion_matrix,
    mean_absolute_error,
    r2_score,
    recall_score,
)

from vaelab.metrics import interval
from vaelab.metrics._calibration import answers, calibration, confusion
from vaelab.metrics.balanced_accuracy import balanced_accuracy
from vaelab.metrics.calibration_error import BY_CHANCE, calibration_error
from vaelab.metrics.classifier_accuracy import classifier_accuracy
from vaelab.metrics.number_mae import number_mae
from vaelab.metrics.number_r2 import number_r2

RANDOM = np.random.default_rng(0)
P = RANDOM.dirichlet(np.ones(4) * 0.5, 300)
TRUE = np.where(RANDOM.random(300) < 0.6, P.argmax(1), RANDOM.integers(0, 4, 300))
GROUPS = np.arange(300) // 20


def two_classes(count: int, less_right: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities from 0.6 to 1, in whose mean images are told rightly by so much less often."""
    random = np.random.default_rng(seed)
    sure = random.uniform(0.6, 1, count)
    right = random.random(count) < sure - less_right
    return np.stack([1 - sure, sure], 1), right.astype(int)


def test_the_calibration_curve_is_scikit_learns():
    sure, right = answers(P, TRUE)
    shares, confidences = calibration_curve(right, sure, n_bins=10)
    found = calibration(sure, right)
    np.testing.assert_allclose(found.shares, shares)
    np.testing.assert_allclose(found.confidences, confidences)
    assert found.counts.sum() == 300
    for count, share, ends in zip(found.counts.tolist(), found.shares, found.intervals, strict=True):
        expected = binomtest(round(count * share), count).proportion_ci(method="wilson")
        np.testing.assert_allclose(ends, expected, atol=1e-12)
    error = (found.counts * np.abs(shares - confidences)).sum() / 300
    assert calibration_error(P, TRUE)[0].value == pytest.approx(error, rel=1e-12)


def test_the_calibration_error_of_a_known_gap_lies_in_its_interval_and_beyond_chance():
    found = [calibration_error(*two_classes(400, 0.15, seed)) for seed in range(40)]
    held = [low <= 0.15 <= high for low, high in (whole.interval for whole, _ in found)]
    assert np.mean(held) > 0.85
    assert np.mean([whole.value > chance.interval[1] for whole, chance in found]) > 0.9


def test_a_calibrated_classifier_scores_what_is_said_of_chance_and_its_interval_reaches_0():
    found = [calibration_error(*two_classes(400, 0.0, seed)) for seed in range(60)]
    assert all(chance.part == BY_CHANCE for _, chance in found)
    inside = [chance.interval[0] <= whole.value <= chance.interval[1] for whole, chance in found]
    assert 0.85 < np.mean(inside) <= 1
    mean = np.mean([whole.value for whole, _ in found])
    assert mean == pytest.approx(np.mean([chance.value for _, chance in found]), rel=0.1)
    assert np.mean([whole.interval[0] < 0.01 for whole, _ in found]) > 0.9


def test_the_confusion_is_scikit_learns_and_so_are_the_shares_of_classes():
    told = P.argmax(1)
    np.testing.assert_array_equal(confusion(TRUE, told, 4), confusion_matrix(TRUE, told))
    whole, *parts = balanced_accuracy(told, TRUE, tuple("abcd"))
    assert whole.value == pytest.approx(balanced_accuracy_score(TRUE, told), rel=1e-12)
    assert [part.value for part in parts] == pytest.approx(recall_score(TRUE, told, average=None), rel=1e-12)
    assert [part.part for part in parts] == list("abcd")
    unknown = np.where(np.arange(300) < 10, -1, TRUE)
    np.testing.assert_array_equal(confusion(unknown, told, 4), confusion_matrix(TRUE[10:], told[10:]))
    assert balanced_accuracy(told, unknown)[0].count == 290
    mostly = np.where(np.arange(300) < 200, -1, TRUE)
    assert classifier_accuracy(told, mostly)[0].null == np.bincount(TRUE[200:]).max() / 300


def test_numbers_are_scikit_learns():
    y = RANDOM.normal(5, 2, 200)
    told = y + RANDOM.normal(size=200)
    score = number_r2(y, told)[0]
    assert score.value == pytest.approx(r2_score(y, told), rel=1e-12)
    assert score.interval[0] < 1 - 1 / 4 < score.interval[1]
    assert number_mae(y, told)[0].value == pytest.approx(mean_absolute_error(y, told), rel=1e-12)
    assert number_mae(y, told)[0].null == pytest.approx(mean_absolute_error(y, np.full(200, np.median(y))))
    assert number_r2(y, np.full(200, y.mean()))[0].value == pytest.approx(0, abs=1e-12)


def test_intervals_are_those_of_formulas_on_the_same_resamples():
    y = RANDOM.normal(size=200)
    told, answered = y + RANDOM.normal(size=200), P.argmax(1)
    found = {
        number_r2(y, told): interval(lambda a, b: 1 - np.square(b - a).sum() / np.square(a - a.mean()).sum(), y, told),
        number_mae(y, told): interval(lambda a, b: np.abs(b - a).mean(), y, told),
        balanced_accuracy(answered, TRUE): interval(
            lambda a, b: np.mean([(b[a == kind] == kind).mean() for kind in range(4)]), TRUE, answered
        ),
        classifier_accuracy(answered, TRUE): interval(lambda a, b: (a == b).mean(), TRUE, answered),
    }
    for scores, expected in found.items():
        assert scores[0].interval == pytest.approx(expected, rel=1e-4)


def test_intervals_over_groups_are_wider_where_a_group_is_all_alike():
    """Ten copies of each image: over groups the interval is that of the single images."""
    y, told = RANDOM.normal(size=(2, 40))
    classes, answered = (y > 0).astype(int), (y + told > 0).astype(int)
    p = np.where(answered[:, None] == [0, 1], 0.99, 0.01)
    many, groups = np.repeat(np.arange(40), 10), np.repeat(np.arange(40), 10)
    cases = [
        (number_r2, y, y + told),
        (number_mae, y, y + told),
        (classifier_accuracy, answered, classes),
        (balanced_accuracy, answered, classes),
        (calibration_error, p, classes),
    ]
    for metric, one, other in cases:
        single = metric(one, other)[0]
        grouped = metric(one[many], other[many], groups=groups)[0]
        assert grouped.value == pytest.approx(single.value)
        assert grouped.interval == pytest.approx(single.interval, rel=1e-6)
        narrow = metric(one[many], other[many])[0].interval
        assert narrow[1] - narrow[0] < 0.6 * (single.interval[1] - single.interval[0])


def test_intervals_of_bins_over_groups_are_wider():
    sure, right = answers(P, TRUE)
    alone, grouped = calibration(sure, right), calibration(sure, right, GROUPS // 3)
    assert (np.diff(grouped.intervals) >= np.diff(alone.intervals)).all()
    one = calibration(sure, right, np.zeros(300))
    assert (one.intervals == [0, 1]).all()
    np.testing.assert_array_equal(one.shares, alone.shares)


def test_what_cannot_be_measured_has_a_reason():
    none = np.zeros(0, int)
    reasons = {
        calibration_error(np.zeros((0, 2)), none)[0].reason: "no image",
        calibration_error(np.full((3, 2), np.nan), np.zeros(3, int))[0].reason: "not finite",
        balanced_accuracy(np.zeros(3, int), np.full(3, -1))[0].reason: "known class",
        number_r2(np.ones(3), np.ones(3))[0].reason: "does not vary",
        number_mae(np.array([1, np.nan]), np.ones(2))[0].reason: "not finite",
    }
    for reason, words in reasons.items():
        assert words in reason
    assert calibration_error(np.array([[0.3, 0.7]]), np.array([1]))[0].value == pytest.approx(0.3)
    one = balanced_accuracy(np.array([1]), np.array([1]))
    assert [score.value for score in one] == [1, 1]
