"""Metrics of series against scipy, scikit-learn, loops and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial import KDTree
from scipy.stats import pearsonr, spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mean_absolute_error
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler

from vaelab.errors import InputError
from vaelab.metrics._series import check_images, kinds_of_steps
from vaelab.metrics.consistency_correlation import consistency_correlation
from vaelab.metrics.consistency_error import consistency_error
from vaelab.metrics.consistency_order import consistency_order
from vaelab.metrics.identity_cosine import identity_cosine
from vaelab.metrics.latent_closeness import latent_closeness
from vaelab.metrics.reached_span import reached_span
from vaelab.metrics.series_frechet import series_frechet
from vaelab.metrics.series_novelty import series_novelty
from vaelab.metrics.series_proximity import series_proximity
from vaelab.metrics.series_rarity import series_rarity
from vaelab.metrics.series_realness import series_realness
from vaelab.metrics.series_sparsity import series_sparsity
from vaelab.metrics.series_way_back import series_way_back

RANDOM = np.random.default_rng(0)
COUNT, TARGETS, LATENTS, FEATURES = 50, 6, 3, 4
DESIRED = np.tile(np.linspace(0.05, 0.95, TARGETS), (COUNT, 1))
REACHED = np.clip(0.2 + 0.6 * DESIRED + 0.1 * RANDOM.normal(size=DESIRED.shape), 0, 1)
CODES = RANDOM.normal(size=(COUNT, LATENTS)) * [1, 2, 0.5] + [3, 0, 0]
STEPS = CODES[:, None] + RANDOM.normal(size=(COUNT, TARGETS, LATENTS)) * 0.3
REAL = RANDOM.normal(size=(COUNT, FEATURES))
DRAWN = REAL + 0.5 * RANDOM.normal(size=(COUNT, FEATURES))
SEEN = REAL[:, None] + 0.4 + 0.5 * RANDOM.normal(size=(COUNT, TARGETS, FEATURES))
OF_ANSWERS = [consistency_correlation, consistency_error, consistency_order, reached_span]
OF_RETURNED = [identity_cosine, latent_closeness]
OF_FEATURES = [series_frechet, series_realness]
OF_CHANNELS = [series_proximity, series_sparsity]
OF_PAIRS = [series_novelty, series_way_back]


def value(scores):
    return scores[0].value


def test_answers_are_those_of_scipy_and_scikit_learn():
    assert value(consistency_correlation(DESIRED, REACHED)) == pytest.approx(
        pearsonr(DESIRED.ravel(), REACHED.ravel()).statistic
    )
    assert value(consistency_error(DESIRED, REACHED)) == pytest.approx(mean_absolute_error(DESIRED, REACHED))
    ranked = REACHED.round(1)  # with ties
    expected = np.mean([spearmanr(a, b).statistic for a, b in zip(DESIRED, ranked, strict=True)])
    assert value(consistency_order(DESIRED, ranked)) == pytest.approx(expected)
    expected = np.mean([(max(row) - min(row)) / 0.9 for row in REACHED])
    assert value(reached_span(DESIRED, REACHED)) == pytest.approx(expected)


def test_what_never_moves_the_classifier_scores_nothing():
    still = np.full_like(DESIRED, 0.5)
    assert value(consistency_correlation(DESIRED, still)) == 0
    assert value(consistency_order(DESIRED, still)) == 0
    assert value(reached_span(DESIRED, still)) == 0
    assert value(consistency_error(DESIRED, still)) == pytest.approx(np.abs(DESIRED - 0.5).mean())
    for metric in (consistency_order, consistency_correlation):
        assert value(metric(DESIRED, -DESIRED)) == pytest.approx(-1)


def test_rarity_of_known_places():
    """The images' own codes score 1; twice as far from the mean, 4; moved by k deviations along one latent,
    1 + k^2 / d; a latent that no image moves is left out."""
    center, spread = CODES.mean(0), CODES.std(0)
    assert value(series_rarity(CODES[:, None], CODES)) == pytest.approx(1)
    assert value(series_rarity((2 * CODES - center)[:, None], CODES)) == pytest.approx(4)
    moved = CODES + np.array([0, 3, 0]) * spread
    assert value(series_rarity(moved[:, None], CODES)) == pytest.approx(1 + 9 / LATENTS)
    wider = np.concatenate([CODES, np.full((COUNT, 1), 7.0)], 1)
    assert value(series_rarity(np.concatenate([CODES, 99 * CODES[:, :1]], 1)[:, None], wider)) == pytest.approx(1)


def test_novelty_of_held_out_codes_is_1_and_of_codes_far_away_their_distance():
    training = RANDOM.normal(size=(2000, 2))
    own, others = np.random.default_rng(1).normal(size=(2, 300, 2))
    tree = KDTree(training)
    near = series_novelty(tree.query(others)[0][:, None], tree.query(own)[0])[0]
    assert near.interval[0] < 1 < near.interval[1]
    far = series_novelty(tree.query(others + 50)[0][:, None], tree.query(own)[0])[0]
    assert far.interval[0] > 100


def test_ratios_are_those_of_means_and_their_intervals_of_a_bootstrap_by_hand():
    above, below = RANDOM.random((2, COUNT))
    score = series_way_back(below, above)[0]
    assert score.value == pytest.approx(above.mean() / below.mean())
    draws = np.random.default_rng(5).integers(COUNT, size=(4000, COUNT))
    expected = np.quantile(above[draws].mean(1) / below[draws].mean(1), [0.025, 0.975])
    np.testing.assert_allclose(score.interval, expected, rtol=0.03)
    steps = RANDOM.random((COUNT, TARGETS))
    assert value(series_novelty(steps, below)) == pytest.approx(steps.mean() / below.mean())


def test_the_frechet_distance_is_heusels_formula_with_the_root_of_scipy():
    def by_hand(x, y):
        s, t = np.cov(x.T), np.cov(y.T)
        return np.square(x.mean(0) - y.mean(0)).sum() + np.trace(s + t - 2 * sqrtm(s @ t).real)

    names = [f"{target:.2f}" for target in DESIRED[0]]
    scores = {score.part: score for score in series_frechet(REAL, SEEN, DRAWN, names)}
    assert list(scores) == ["", "reconstructions", *names]
    assert scores[""].value == pytest.approx(by_hand(REAL, SEEN.reshape(-1, FEATURES)))
    assert scores["reconstructions"].value == pytest.approx(by_hand(REAL, DRAWN))
    for i, name in enumerate(names):
        assert scores[name].value == pytest.approx(by_hand(REAL, SEEN[:, i]))


def test_real_or_generated_is_told_as_often_as_by_scikit_learn():
    """By grouped folds of another draw, so alike within chance; whole: the mean over targets."""
    real, seen = np.random.default_rng(2).normal(size=(2, 400, FEATURES))
    kinds, units = np.repeat([0, 1], 400), np.tile(np.arange(400), 2)
    features = np.concatenate([real, seen + 0.5])
    scaled = StandardScaler().fit_transform(features)
    told = cross_val_predict(LogisticRegression(), scaled, kinds, groups=units, cv=GroupKFold(5))
    score = series_realness(real, (seen + 0.5)[:, None])[0]
    assert score.value == pytest.approx((told == kinds).mean(), abs=0.015)
    bayes = 0.5 * (1 + math.erf(0.5 * math.sqrt(FEATURES) / 2 / math.sqrt(2)))
    assert score.interval[0] < bayes < score.interval[1] + 0.02
    scores = series_realness(REAL, SEEN)
    assert scores[0].value == pytest.approx(np.mean([score.value for score in scores[1:]]))


def test_what_cannot_be_told_is_told_by_chance_and_a_copy_is_no_better():
    real, seen = np.random.default_rng(3).normal(size=(2, 400, FEATURES))
    low, high = series_realness(real, seen[:, None])[0].interval
    assert low < 0.5 < high
    assert abs(value(series_realness(real, real[:, None])) - 0.5) < 0.02


def test_a_blur_is_told_of_steps_and_of_reconstructions_alike():
    blurred = 0.2 * REAL + 5
    scores = {score.part: score.value for score in series_realness(REAL, blurred[:, None], blurred)}
    assert scores == {"": 1.0, "reconstructions": 1.0}


def test_identity_is_that_of_scikit_learns_cosines():
    centred = CODES - CODES.mean(0)
    cosines = cosine_similarity(STEPS.reshape(-1, LATENTS) - CODES.mean(0), centred).reshape(COUNT, TARGETS, COUNT)
    own = cosines[np.arange(COUNT), :, np.arange(COUNT)]
    score = identity_cosine(CODES, STEPS)[0]
    assert score.value == pytest.approx((own >= 0.5).mean())
    between = cosine_similarity(centred)[~np.eye(COUNT, dtype=bool)]
    assert score.null == pytest.approx((between >= 0.5).mean())


def test_other_images_codes_in_the_steps_place_score_the_null():
    codes = np.random.default_rng(4).normal(size=(60, 2))
    others = np.stack([np.delete(codes, i, axis=0) for i in range(60)])
    score = identity_cosine(codes, others)[0]
    assert score.value == pytest.approx(score.null)
    assert score.null == pytest.approx(1 / 3, abs=0.03)  # in a plane, 120 of 360 degrees


def test_closeness_is_that_of_loops():
    near = [min(range(COUNT), key=lambda j: math.dist(step, CODES[j])) == i for i in range(COUNT) for step in STEPS[i]]
    score = latent_closeness(CODES, STEPS)[0]
    assert score.value == pytest.approx(np.mean(near))
    assert 0 < score.value < 1
    assert score.null == 1 / COUNT


def test_codes_that_are_all_alike_are_close_by_chance_alone():
    alike = np.ones((COUNT, LATENTS))
    assert value(latent_closeness(alike, np.repeat(alike[:, None], 2, 1))) == pytest.approx(1 / COUNT)
    assert identity_cosine(alike, np.repeat(alike[:, None], 2, 1))[0].reason == "all images have the same code"


@pytest.mark.parametrize("metric", OF_RETURNED)
def test_reconstructions_are_judged_as_a_lone_step(metric):
    whole, drawn = metric(CODES, STEPS, STEPS[:, 0])
    assert (whole.part, drawn.part) == ("", "reconstructions")
    assert drawn.value == value(metric(CODES, STEPS[:, :1]))
    assert whole.value == value(metric(CODES, STEPS))


@pytest.mark.parametrize("metric", OF_CHANNELS)
def test_parts_are_means_of_channels_and_the_whole_is_their_mean(metric):
    numbers = RANDOM.random((COUNT, 2))
    whole, dna, actin = metric(numbers, ("DNA", "actin"))
    assert (dna.part, actin.part) == ("DNA", "actin")
    assert [dna.value, actin.value] == pytest.approx(numbers.mean(0))
    assert whole.value == pytest.approx(numbers.mean())


def cases(count, targets=3):
    """Arrays of each metric, so many images."""
    random = np.random.default_rng(0)
    answers = random.random((2, count, targets))
    codes, steps = random.normal(size=(count, 2)), random.normal(size=(count, targets, 2))
    pair = random.random((2, count))
    return [
        *((metric, tuple(answers)) for metric in OF_ANSWERS),
        *((metric, (codes, steps, codes + 0.1)) for metric in OF_RETURNED),
        (series_rarity, (steps, codes)),
        *((metric, (codes, steps, codes + 0.1)) for metric in OF_FEATURES),
        *((metric, (random.random((count, 2)),)) for metric in OF_CHANNELS),
        (series_novelty, (answers[0], pair[0])),
        (series_way_back, tuple(pair)),
    ]


def each(count):
    return [pytest.param(*case, id=case[0].name) for case in cases(count)]


@pytest.mark.parametrize(("metric", "arrays"), each(1))
def test_one_image_has_a_number_without_an_interval_or_a_reason(metric, arrays):
    for score in metric(*arrays):
        assert bool(score.reason) != bool(np.isfinite(score.value))
        assert score.interval is None


@pytest.mark.parametrize(("metric", "arrays"), each(2))
def test_two_images_have_numbers(metric, arrays):
    assert all(np.isfinite(score.value) and not score.reason for score in metric(*arrays))


@pytest.mark.parametrize(("metric", "arrays"), each(8))
def test_what_is_not_finite_has_a_reason_and_no_number(metric, arrays):
    for i, array in enumerate(arrays):
        broken = array.copy()
        broken.flat[0] = np.nan
        scores = metric(*arrays[:i], broken, *arrays[i + 1 :])
        assert any(score.reason for score in scores)
        assert all(bool(score.reason) != bool(np.isfinite(score.value)) for score in scores)


@pytest.mark.parametrize(("metric", "arrays"), each(8))
def test_constants_have_a_number_or_a_reason(metric, arrays):
    for i, array in enumerate(arrays):
        for constant in (0.0, 0.7):
            scores = metric(*arrays[:i], np.full_like(array, constant), *arrays[i + 1 :])
            assert all(bool(score.reason) != bool(np.isfinite(score.value)) for score in scores)
            assert all(score.interval is None or np.isfinite(score.interval).all() for score in scores)


def test_what_does_not_go_together_is_refused():
    """By what all of them call: while tests run, types refuse arrays of other shapes before."""
    with pytest.raises(InputError, match=r"reached should be of 8 images, got 7\."):
        check_images(8, reached=np.zeros((7, 3)))
    with pytest.raises(InputError, match=r"drawn_features should be of 50 images, got 49\."):
        kinds_of_steps(REAL, SEEN, DRAWN[1:], (), 100)
    with pytest.raises(InputError, match=r"target_names should be 6 names, got 1\."):
        series_frechet(REAL, SEEN, None, ("0.5",))


def test_no_steps_are_refused():
    for metric, arrays in cases(8, targets=0):
        if metric not in (*OF_CHANNELS, series_way_back):
            with pytest.raises(InputError, match="have a step for each image, got none"):
                metric(*arrays)
