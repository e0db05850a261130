"""A hole in the training set: its metrics by brute force, its rivals by other libraries, and who failed by design."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import LinearNDInterpolator
from sklearn.metrics import jaccard_score
from sklearn.neighbors import KNeighborsRegressor

from vaelab.evaluation import hole
from vaelab.inference import nearest_images
from vaelab.metrics.hole_against_nearest import hole_against_nearest
from vaelab.metrics.hole_encoder_share import hole_encoder_share
from vaelab.metrics.hole_error import hole_error
from vaelab.metrics.hole_iou import hole_iou
from vaelab.metrics.hole_ratio import hole_ratio
from vaelab.metrics.hole_reach import hole_reach

RANDOM = np.random.default_rng(0)
INSIDE = RANDOM.random(40) < 0.4
LINES = np.where(RANDOM.random(40) < 0.5, np.where(RANDOM.random(40) < 0.5, "up", "down"), "")
REGIONS, NAMES = hole.regions_of(INSIDE, LINES)
IMAGES, DRAWN = RANDOM.random((2, 40, 1, 6, 6)).astype(np.float32)


def test_every_region_holds_the_images_that_its_name_says():
    for name, region in zip(NAMES, REGIONS.T, strict=True):
        place, _, side = name.partition(", ")
        wanted = [
            bool(inside) == (side != "outside" and place != "outside")
            and (place in ("inside", "outside") or (line or "disc") == place)
            for inside, line in zip(INSIDE, LINES, strict=True)
        ]
        assert region.tolist() == wanted


def test_errors_and_overlaps_are_those_of_loops_and_of_scikit_learn():
    for x, y, error, overlap in zip(
        IMAGES, DRAWN, hole.errors_of(IMAGES, DRAWN), hole.overlaps_of(IMAGES, DRAWN), strict=True
    ):
        squares = [(float(a) - float(b)) ** 2 for a, b in zip(x.ravel(), y.ravel(), strict=True)]
        assert error == pytest.approx(sum(squares) / 36, rel=1e-5)
        assert overlap == pytest.approx(jaccard_score((x > 0.5).ravel(), (y > 0.5).ravel()))
    assert hole.overlaps_of(np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 2, 2))).tolist() == [1.0]


@pytest.mark.parametrize("metric", [hole_error, hole_iou, hole_reach])
def test_means_by_region_are_those_of_loops(metric):
    values = RANDOM.random(40)
    scores = {score.part: score for score in metric(values, REGIONS, NAMES)}
    for part, region in zip(("", *NAMES), (REGIONS[:, 0], *REGIONS.T), strict=True):
        own = [value for value, there in zip(values, region, strict=True) if there]
        assert scores[part].value == pytest.approx(sum(own) / len(own))
        assert scores[part].count == len(own)


def test_ratios_are_those_of_means():
    errors, nearest = RANDOM.random((2, 40))
    ratios = {score.part: score.value for score in hole_ratio(errors, REGIONS, NAMES)}
    assert ratios[""] == pytest.approx(errors[INSIDE].mean() / errors[~INSIDE].mean())
    up = LINES == "up"
    assert ratios["up"] == pytest.approx(errors[INSIDE & up].mean() / errors[~INSIDE & up].mean())
    against = {score.part: score.value for score in hole_against_nearest(errors, nearest, REGIONS, NAMES)}
    assert against[""] == against["inside"] == pytest.approx(errors[INSIDE].mean() / nearest[INSIDE].mean())


def test_a_perfect_decoder_of_the_truth_has_no_error_and_whole_overlap():
    errors, overlaps = hole.errors_of(IMAGES, IMAGES), hole.overlaps_of(IMAGES, IMAGES)
    assert {score.value for score in hole_error(errors, REGIONS, NAMES)} == {0.0}
    assert {score.value for score in hole_iou(overlaps, REGIONS, NAMES)} == {1.0}
    assert hole_against_nearest(errors, errors + 1, REGIONS, NAMES)[0].value == 0
    assert hole_ratio(errors, REGIONS, NAMES)[0].reason == "there is no error outside"


def test_the_interval_of_a_ratio_covers_the_true_ratio_in_most_draws():
    regions = np.repeat(np.eye(2, dtype=bool), 40, axis=0)
    hits = 0
    for seed in range(30):
        random = np.random.default_rng(seed)
        errors = np.concatenate([2 * random.gamma(4.0, size=40), random.gamma(4.0, size=40)])
        low, high = next(iter(hole_ratio(errors, regions, ("inside", "outside")))).interval
        hits += low <= 2 <= high
    assert hits >= 25


def test_the_blend_is_scipys_linear_interpolation_and_beyond_the_points_the_nearest():
    known, values = RANDOM.random((50, 2)), RANDOM.random((50, 3))
    points = RANDOM.random((30, 2)) * 1.4 - 0.2
    rows, weights = hole.neighbours(points, known)
    found = (weights[..., None] * values[rows]).sum(1)
    theirs = LinearNDInterpolator(known, values)(points)
    nearest = KNeighborsRegressor(1).fit(known, values).predict(points)
    beyond = np.isnan(theirs[:, 0])
    assert 0 < beyond.sum() < 30
    np.testing.assert_allclose(found, np.where(beyond[:, None], nearest, theirs))


def test_points_without_a_triangulation_are_blended_from_the_nearest_alone():
    known = np.column_stack([np.arange(5.0), np.zeros(5)])
    rows, weights = hole.neighbours(np.array([[1.2, 0.0]]), known)
    assert known[rows[0, 0]].tolist() == [1, 0]
    assert weights.tolist() == [[1, 0, 0]]


def test_the_nearest_training_image_is_that_of_loops():
    x, training = torch.rand(5, 1, 3, 3), torch.rand(20, 1, 3, 3)
    found = nearest_images(x, iter([training[:7], training[7:]]))
    for image, nearest in zip(x, found, strict=True):
        best = min(training, key=lambda other: float((other - image).square().sum()))
        assert np.array_equal(nearest, best.numpy())


def who(inside_error: float, inside_reach: float) -> str:
    """Who failed where errors are 1 outside, and these inside, a little scattered."""
    regions = np.repeat(np.eye(2, dtype=bool), 30, axis=0)
    noise = 1 + 0.05 * RANDOM.normal(size=(2, 60))
    errors = np.where(regions[:, 0], inside_error, 1.0) * noise[0]
    return hole.who_failed(hole_encoder_share(errors, np.where(regions[:, 0], inside_reach, 1.0) * noise[1], regions))


def test_who_failed_is_who_was_made_to_fail():
    assert who(3.0, 1.0).startswith("the encoder:")
    assert who(3.0, 2.9).startswith("the decoder:")
    assert who(1.0, 1.0).startswith("neither, as the error inside is not shown")
    assert who(3.0, 2.0).startswith("not shown whether encoder or decoder")
    assert hole.who_failed([]) == ""


@pytest.mark.parametrize("case", ["nobody inside", "one inside", "not a number", "no images", "infinite"])
def test_odd_input_gives_no_number_and_says_why_or_a_number_without_an_interval(case):
    errors, regions = np.array([0.1, 0.2, 0.3]), np.array([[False, True]] * 3)
    if case == "one inside":
        regions = np.array([[True, False], [False, True], [False, True]])
    if case in ("not a number", "infinite"):
        errors[2], regions = (
            np.nan if case == "not a number" else np.inf,
            np.array([[True, False]] * 2 + [[False, True]]),
        )
    if case == "no images":
        errors, regions = errors[:0], regions[:0]
    names = ("inside", "outside")
    found = [*hole_error(errors, regions, names), *hole_ratio(errors, regions, names)]
    found += [*hole_against_nearest(errors, errors, regions, names), *hole_encoder_share(errors, errors, regions)]
    for score in found:
        assert np.isfinite(score.value) != bool(score.reason), score
        assert score.interval is None or np.isfinite(score.interval).all()
