"""Neighbourhoods by counting, by scikit-learn and scipy, and by the numbers that ZADU 0.5.4 (numpy 2.4.6) gives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.manifold import trustworthiness as of_scikit_learn

from vaelab.errors import InputError
from vaelab.evaluation import _derived as derived
from vaelab.evaluation import measure_arrays
from vaelab.metrics import _coranking as module
from vaelab.metrics._coranking import co_ranks
from vaelab.metrics.continuity import continuity
from vaelab.metrics.distance_spearman import distance_spearman
from vaelab.metrics.factor_neighbours import factor_neighbours
from vaelab.metrics.knn_recall import knn_recall
from vaelab.metrics.lcmc import lcmc
from vaelab.metrics.mrre import mrre
from vaelab.metrics.q_nx import q_nx
from vaelab.metrics.r_nx import r_nx
from vaelab.metrics.trustworthiness import trustworthiness

COUNT = 150
OF_RANKS = (trustworthiness, continuity, mrre, q_nx, r_nx, lcmc, factor_neighbours)


def walk():
    """150 points of a walk in 8 dimensions, and a noisy look at two of them."""
    random = np.random.default_rng(7)
    x = np.cumsum(random.normal(size=(COUNT, 8)), axis=1)
    return x[:, [1, 6]] + 0.5 * random.normal(size=(COUNT, 2)), x


CODES, X = walk()
RANKS = co_ranks(CODES, X)
LARGEST = COUNT // 5


def ranked(space):
    """(image, image): the rank of each image for each, 0 being itself; equal ones in order."""
    distances = cdist(space, space).astype(np.float32)
    np.fill_diagonal(distances, -1)
    return np.argsort(np.argsort(distances, 1, kind="stable"), 1, kind="stable")


BY_CODE, BY_X = ranked(CODES), ranked(X)


def near(ranks, k):
    return (ranks >= 1) & (ranks <= k)


def intruded(own, other, k):
    return 1 - 2 / (COUNT * k * (2 * COUNT - 3 * k - 1)) * ((other - k) * (near(own, k) & ~near(other, k))).sum()


def common(k):
    return (near(BY_CODE, k) & near(BY_X, k)).sum() / (COUNT * k)


def rank_error(own, other, k):
    most = sum(abs(COUNT - 2 * j) / j for j in range(1, k + 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(near(own, k), abs(own - other) / own, 0).sum() / COUNT / most


def over_k(measure):
    return np.mean([measure(k) for k in range(1, LARGEST + 1)])


def values(metric, ranks=RANKS, **settings):
    return {score.part: score.value for score in metric(ranks, **settings)}


def test_ranks_are_those_of_two_sorted_lists():
    assert RANKS.shape == (COUNT, LARGEST, 2)
    for way, (own, other) in enumerate([(BY_CODE, BY_X), (BY_X, BY_CODE)]):
        order = np.argsort(own, 1)[:, 1 : LARGEST + 1]
        np.testing.assert_array_equal(RANKS[:, :, way], np.take_along_axis(other, order, 1))


@pytest.mark.parametrize("k", [1, 5, 10, 30])
def test_at_one_k_by_counting(k):
    assert values(trustworthiness, num_neighbours=k)[""] == pytest.approx(intruded(BY_CODE, BY_X, k))
    assert values(continuity, num_neighbours=k)[""] == pytest.approx(intruded(BY_X, BY_CODE, k))
    errors = values(mrre, num_neighbours=k)
    assert errors["of codes"] == pytest.approx(rank_error(BY_CODE, BY_X, k))
    assert errors["of images"] == pytest.approx(rank_error(BY_X, BY_CODE, k))
    assert errors[""] == pytest.approx((errors["of codes"] + errors["of images"]) / 2)
    assert values(lcmc, num_neighbours=k)[""] == pytest.approx(common(k) - k / (COUNT - 1))
    assert knn_recall(CODES, RANKS, num_neighbours=k)[0].value == pytest.approx(common(k))


def test_over_all_k_by_counting():
    assert values(trustworthiness)["area"] == pytest.approx(over_k(lambda k: intruded(BY_CODE, BY_X, k)))
    assert values(continuity)["area"] == pytest.approx(over_k(lambda k: intruded(BY_X, BY_CODE, k)))
    both = over_k(lambda k: (rank_error(BY_CODE, BY_X, k) + rank_error(BY_X, BY_CODE, k)) / 2)
    assert values(mrre)["area"] == pytest.approx(both)
    curve = values(q_nx)
    assert curve.pop("") == pytest.approx(over_k(common))
    assert curve == pytest.approx({f"k={k}": common(k) for k in (1, 2, 5, 10, 20)})
    assert values(lcmc)["area"] == pytest.approx(over_k(lambda k: common(k) - k / (COUNT - 1)))
    beyond = [((COUNT - 1) * common(k) - k) / (COUNT - 1 - k) for k in range(1, LARGEST + 1)]
    weights = 1 / np.arange(1, LARGEST + 1)
    assert values(r_nx) == pytest.approx({"": np.mean(beyond), "near": np.average(beyond, weights=weights)})


@pytest.mark.parametrize(
    ("k", "trusted", "continuous", "false", "missing", "local"),
    [
        (5, 0.8651361502347419, 0.8924131455399062, 0.8562997626989263, 0.8827387530907219, 0.15977628635346755),
        (10, 0.883543990086741, 0.8966741016109048, 0.8579764396175534, 0.8784328558545266, 0.26355257270693516),
        (30, 0.9144348750664539, 0.9218692185007975, 0.8525809660774932, 0.8686750323213577, 0.4148799403430276),
    ],
)
def test_as_zadu(k, trusted, continuous, false, missing, local):
    """ZADU gives 1 - MRRE, divided by the sum of |N - 2j + 1| / j instead of |N - 2j| / j."""
    assert values(trustworthiness, num_neighbours=k)[""] == pytest.approx(trusted)
    assert values(continuity, num_neighbours=k)[""] == pytest.approx(continuous)
    assert values(lcmc, num_neighbours=k)[""] == pytest.approx(local)
    j = np.arange(1, k + 1)
    ratio = (abs(COUNT - 2 * j) / j).sum() / (abs(COUNT - 2 * j + 1) / j).sum()
    errors = values(mrre, num_neighbours=k)
    assert 1 - errors["of codes"] * ratio == pytest.approx(false)
    assert 1 - errors["of images"] * ratio == pytest.approx(missing)


def test_as_scikit_learn_and_scipy():
    assert values(trustworthiness)[""] == pytest.approx(of_scikit_learn(X, CODES, n_neighbors=10))
    assert values(continuity)[""] == pytest.approx(of_scikit_learn(CODES, X, n_neighbors=10))
    pairs = np.triu_indices(COUNT, 1)
    expected = spearmanr(cdist(CODES, CODES)[pairs], cdist(X, X)[pairs])[0]
    found = distance_spearman(CODES, X)[0]
    assert found.value == pytest.approx(expected)
    assert found.value == pytest.approx(0.8531894322140853), "ZADU's"
    assert found.interval[0] < found.value < found.interval[1]


def test_codes_that_keep_all_neighbours_reach_the_ceiling_and_random_ones_the_null():
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0]
    for metric in OF_RANKS:
        for score in metric(co_ranks(3 * X @ turned, X)):
            assert score.value == pytest.approx(0 if metric is mrre else score.ceiling)
    random = np.random.default_rng(1)
    found = [[metric(co_ranks(random.normal(size=(COUNT, 2)), X)) for metric in OF_RANKS] for _ in range(40)]
    for of_metric in zip(*found, strict=True):
        for draws in zip(*of_metric, strict=True):
            drawn = [score.value for score in draws]
            error = np.std(drawn) / len(drawn) ** 0.5
            assert np.mean(drawn) == pytest.approx(draws[0].null, abs=4 * error + 1e-9), draws[0]


def test_the_interval_holds_the_truth():
    """Of trustworthiness over all k, where it would hold it in 34 of 60, were neighbours' moves not counted."""

    def made(count, seed):
        random = np.random.default_rng(seed)
        x = random.normal(size=(count, 3))
        return x[:, :2] + 0.3 * random.normal(size=(count, 2)), x

    hits = 0
    truth = np.mean([values(trustworthiness, co_ranks(*made(400, seed)))["area"] for seed in range(60)])
    for seed in range(60):
        low, high = trustworthiness(co_ranks(*made(400, seed)))[1].interval
        hits += low <= truth <= high
    assert hits >= 50


def test_a_wide_space_is_ranked_as_a_narrow_one(monkeypatch):
    axes = np.linalg.qr(np.random.default_rng(2).normal(size=(1500, 8)))[0].T
    wide = (X @ axes + 5).astype(np.float32)
    monkeypatch.setattr(module, "_CHUNK", 1000)
    for columns in (40, 1500):
        padded = np.pad(X, ((0, 0), (0, 32))).astype(np.float32) if columns == 40 else wide
        assert (co_ranks(CODES, padded) != RANKS).mean() < 0.003, "single precision"


@pytest.mark.parametrize("columns", [2, 50, 1200])
def test_duplicates_are_ranked_in_their_order_whatever_the_width(columns):
    random = np.random.default_rng(3)
    x = np.repeat(random.normal(size=(30, columns)), 4, axis=0).astype(np.float32)
    ranks = co_ranks(x[:, :2], x)
    np.testing.assert_array_equal(ranks[:, :3, 0], np.tile([1, 2, 3], (120, 1)))
    np.testing.assert_array_equal(ranks[:, :3, 1], np.tile([1, 2, 3], (120, 1)))
    for metric in OF_RANKS:
        for score in metric(co_ranks(5 * x, x)):
            assert score.value == pytest.approx(0 if metric is mrre else score.ceiling)


@pytest.mark.parametrize(
    ("codes", "known"),
    [
        (CODES[:11], X[:11]),
        (CODES[:1], X[:1]),
        (np.ones((50, 2)), X[:50]),
        (CODES[:50], np.ones((50, 3))),
        (np.where(CODES[:50] == CODES[3], np.nan, CODES[:50]), X[:50]),
        (CODES[:0], X[:0]),
    ],
)
def test_what_has_no_neighbours_has_no_number_and_a_reason(codes, known):
    ranks = co_ranks(codes, known)
    assert ranks.shape == (len(codes), 0, 2)
    found = [metric(ranks)[0] for metric in OF_RANKS] + list(knn_recall(codes, ranks))
    if len(codes) != 11:
        found += distance_spearman(codes, known)
    for score in found:
        assert np.isnan(score.value)
        assert score.count == len(codes)
        assert "images, finite, and not all the same" in score.reason


def test_more_neighbours_than_were_ranked_are_refused():
    for metric in (trustworthiness, continuity, mrre, lcmc):
        with pytest.raises(InputError, match=r"^num_neighbours should be 1 to 30, .* got 31\."):
            metric(RANKS, num_neighbours=31)
    with pytest.raises(InputError, match="150 images"):
        co_ranks(CODES[:20], X)


def test_few_images_still_have_ten_neighbours():
    found = trustworthiness(co_ranks(CODES[:12], X[:12]))
    assert all(0 <= score.value <= 1 and 0 < score.null < 1 for score in found)


def test_of_many_images_some_are_drawn(monkeypatch):
    monkeypatch.setattr(module, "MOST_IMAGES", 100)
    ranks = co_ranks(CODES, X)
    assert ranks.shape == (100, 20, 2)
    assert ranks[:, :, 0].max() < 100


def test_the_draw_of_images_is_fair_and_keeps_their_order(monkeypatch):
    monkeypatch.setattr(derived, "MOST_NUMBERS", 400)
    chosen = np.zeros(500)
    for seed in range(300):
        drawn = derived.DrawnImages(seed)
        for part in np.array_split(np.arange(500.0), 7):
            drawn.add(np.repeat(part, 4).reshape(-1, 1, 2, 2))
        assert drawn.pixels.shape == (100, 4)
        np.testing.assert_array_equal(drawn.pixels[:, 0], np.flatnonzero(drawn.mask))
        chosen += drawn.mask
    assert chosen.mean() == 60
    assert abs(chosen[:100].mean() - 60) < 3
    assert chosen.std() == pytest.approx((300 * 0.2 * 0.8) ** 0.5, rel=0.15)


def test_evaluation_ranks_once_and_gives_each_drawn_image_its_number(monkeypatch):
    monkeypatch.setattr(derived, "MOST_NUMBERS", 50 * 8)
    images = X.reshape(COUNT, 2, 2, 2)
    measured = measure_arrays({"codes": CODES, "images": images, "factors": X[:, :2]})
    column = measured.per_image["knn_recall"]
    assert column.notna().sum() == 50
    score = measured.score("knn_recall")
    assert (score.count, score.value) == (50, pytest.approx(column.mean()))
    drawn = column.notna().to_numpy()
    assert measured.score("trustworthiness").value == pytest.approx(
        of_scikit_learn(X[drawn], CODES[drawn], n_neighbors=10)
    )
    plane = X[:, :2] / X[:, :2].std(0)
    assert measured.score("factor_neighbours", "trustworthiness").value == pytest.approx(
        of_scikit_learn(plane, CODES, n_neighbors=10)
    )
