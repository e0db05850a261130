"""Metrics of known factors, kinds and batches: against other implementations, and against what must come out."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.linalg import hadamard
from scipy.stats import spearmanr
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    mutual_info_score,
    normalized_mutual_info_score,
    roc_auc_score,
    silhouette_score,
)
from sklearn.neighbors import NearestNeighbors

from vaelab.errors import InputError
from vaelab.evaluation import all_metrics
from vaelab.metrics import Score
from vaelab.metrics._information import shares
from vaelab.metrics.batch_mixing import batch_mixing
from vaelab.metrics.batch_predictability import batch_predictability
from vaelab.metrics.class_separation import class_separation
from vaelab.metrics.cluster_agreement import cluster_agreement
from vaelab.metrics.dci import dci, specialised
from vaelab.metrics.explicitness import _area
from vaelab.metrics.infomec import _largest
from vaelab.metrics.label_by_batch import label_by_batch
from vaelab.metrics.mcc import mcc
from vaelab.metrics.mig import mig
from vaelab.metrics.modularity import modularity
from vaelab.metrics.probe_accuracy import probe_accuracy
from vaelab.metrics.sap import sap

OF_FACTORS = [
    *("probe_r2", "mcc", "mig", "sap", "dci", "modularity", "explicitness", "infomec"),
    *("factor_vae_score", "beta_vae_score"),
]
AXIS_ALIGNED = {
    *(("mcc", ""), ("mig", ""), ("mig", "KSG"), ("sap", ""), ("dci", ""), ("dci", "completeness")),
    *(("factor_vae_score", ""), ("modularity", ""), ("infomec", ""), ("infomec", "InfoC")),
}
UNTURNED = {("probe_r2", ""), ("explicitness", ""), ("infomec", "InfoE")}
METRICS = all_metrics()


def a_grid(random: np.random.Generator, count: int = 600) -> np.ndarray:
    """Two numbers, and two of few values, independent of each other."""
    few = random.integers([3, 5], size=(count, 2))
    return np.column_stack([random.random((count, 2)), few]).astype(float)


def scores(name: str, codes: np.ndarray, factors: np.ndarray) -> dict[str, Score]:
    return {score.part: score for score in METRICS[name](codes, factors)}


Y = a_grid(np.random.default_rng(0), 1500)
STANDARD = (Y - Y.mean(0)) / Y.std(0)
PERFECT = -3 * STANDARD[:, [2, 0, 3, 1]]
TURNED = STANDARD @ hadamard(4) / 2


@pytest.mark.parametrize("name", OF_FACTORS)
def test_perfect_codes_reach_the_ceiling_and_turned_ones_only_where_axes_do_not_matter(name):
    perfect, turned = scores(name, PERFECT, Y), scores(name, TURNED, Y)
    for part, score in perfect.items():
        assert score.value == pytest.approx(score.ceiling, abs=0.02)
        assert score.ceiling == pytest.approx(1, abs=0.06)
        if (name, part) in AXIS_ALIGNED:
            assert turned[part].value < score.value - 0.15
            assert turned[part].interval[1] < score.interval[0]
        elif (name, part) in UNTURNED:
            assert turned[part].value == pytest.approx(score.value, abs=0.06)


@pytest.mark.parametrize("name", OF_FACTORS)
def test_a_random_code_scores_the_null(name):
    found = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        found.append(list(scores(name, random.normal(size=(300, 5)), a_grid(random, 300)).values()))
    for same in zip(*found, strict=True):
        values, nulls = np.array([[score.value, score.null] for score in same]).T
        spread = np.sqrt(values.var(ddof=1) + nulls.var(ddof=1))
        bias = 0.03 if name in ("probe_r2", "explicitness", "infomec", "dci") else 0.005  # told by others, so below 0
        assert abs((values - nulls).mean()) < 3.5 * spread / np.sqrt(len(found)) + bias


def test_published_numbers_of_disent():
    """Frozen from disent 0.8.0 (its `_compute_mig`, `_compute_sap`, `_disentanglement`, `_completeness`)."""
    random = np.random.default_rng(11)
    y = random.integers(0, [5, 4, 3], size=(600, 3)).astype(float)
    z = y @ np.array([[1, 0.3, 0, 0], [0, 1, 0.5, 0], [0.2, 0, 1, 0]]) + 0.3 * random.normal(size=(600, 4))
    assert mig(z, y)[0].value == pytest.approx(0.47773924939628776)
    assert sap(z, y)[0].value == pytest.approx(0.65516000073525)
    importance = np.array([[0.7, 0.1, 0], [0.2, 0.8, 0.05], [0.1, 0.1, 0.9], [0, 0, 0.05]])
    assert specialised(importance) == pytest.approx(0.49541873961410887)
    assert specialised(importance.T) == pytest.approx(0.5587161101372513)


def test_the_correlations_are_the_best_of_all_maps():
    random = np.random.default_rng(3)
    y = random.normal(size=(200, 3))
    z = np.exp(y @ random.normal(size=(3, 4)) + random.normal(size=(200, 4)))
    for part, table in (("", np.corrcoef(z.T, y.T)), ("Spearman", spearmanr(z, y).statistic)):
        found = np.abs(table[:4, 4:])
        best = max(np.mean([found[latent, f] for f, latent in enumerate(map_)]) for map_ in permutations(range(4), 3))
        assert scores("mcc", z, y)[part].value == pytest.approx(best)
    assert mcc(z[:, :2], y)[0].ceiling == pytest.approx(2 / 3)


def test_information_is_that_of_scikit_learn():
    random = np.random.default_rng(4)
    number, few = random.normal(size=400), random.integers(3, size=400).astype(float)
    z = np.column_stack([number + few, number, few])
    found = shares(z, np.column_stack([number + random.normal(size=400), few])).mean(0)
    by = mutual_info_classif(z[:, :2], few, random_state=0)  # which has no numbers below 0
    assert np.maximum(found[:2, 1], 0) == pytest.approx(by, abs=1e-3)
    assert found[2, 1] == pytest.approx(mutual_info_score(few, few))
    y = random.normal(size=400) + number
    assert shares(z, y[:, None]).mean(0)[:2, 0] == pytest.approx(
        np.array([mutual_info_regression(z[:, [i]], y, random_state=0)[0] for i in range(2)]), abs=1e-3
    )


def test_modularity_by_hand():
    random = np.random.default_rng(5)
    y = random.integers(4, size=(400, 3)).astype(float)
    z = np.column_stack([y[:, 0] + y[:, 1] / 9, y[:, 2]]) + 0.1 * random.normal(size=(400, 2))
    by_hand = []
    for column in z.T:
        kinds = np.digitize(column, np.histogram(column, 20)[1][:-1])
        told = np.array([mutual_info_score(kinds, factor) for factor in y.T])
        best = told.max()
        template = np.where(told == best, best, 0)
        by_hand.append(1 - np.square(told - template).sum() / (best**2 * 2))
    assert modularity(z, y)[0].value == pytest.approx(np.mean(by_hand))


def test_areas_and_shares_by_hand():
    random = np.random.default_rng(6)
    kind, found = random.integers(3, size=90), random.dirichlet([1, 1, 1], size=90)
    assert _area(found, kind) == pytest.approx(roc_auc_score(kind, found, multi_class="ovr", average="macro"))
    assert _largest(np.array([[1.0, 1.0], [3.0, 1.0], [0.0, 0.0]])) == pytest.approx((0 + 0.5) / 2)


@pytest.mark.parametrize("predictor", ["gradient_boosting", "random_forest", "lasso"])
def test_every_predictor_finds_what_lies_on_axes(predictor):
    whole, complete, told = dci(PERFECT[:300], Y[:300], predictor=predictor, value_alone=True)
    assert min(whole.value, complete.value) > 0.95
    assert told.value > 0.9
    assert whole.null is whole.ceiling is whole.interval is None


def test_factors_of_a_part_of_a_grid_depend_on_each_other_which_lowers_the_ceiling():
    y = Y[np.abs(Y[:, 0] - Y[:, 1]) < 0.2][:, :2]
    score = scores("mig", y, y)[""]
    assert score.value == score.ceiling < 0.7


LABELS = np.array(["one", "two", "three"])[np.arange(300) % 3]
PLATES = np.repeat([f"plate {i}" for i in range(6)], 50)
BATCHES = np.repeat(["may", "june"], 150)
POINTS = 10 * np.eye(3)[np.arange(300) % 3] + 0.01 * np.random.default_rng(7).normal(size=(300, 3))
NOISE = np.random.default_rng(8).normal(size=(300, 3))
PLATES_ALONE = NOISE + 50 * np.repeat(np.eye(6), 50, axis=0) @ np.random.default_rng(9).normal(size=(6, 3))


def test_kinds_that_lie_apart_reach_the_ceiling_and_noise_the_null():
    for found in (
        probe_accuracy(POINTS, LABELS, PLATES),
        class_separation(POINTS, LABELS),
        label_by_batch(POINTS, LABELS, PLATES, BATCHES),
        cluster_agreement(LABELS, LABELS[:300]),
    ):
        assert [score.value for score in found] == pytest.approx([1.0] * len(found), abs=0.01)
        assert all(score.ceiling == 1 for score in found)
    for found in (
        probe_accuracy(NOISE, LABELS),
        class_separation(NOISE, LABELS),
        label_by_batch(NOISE, LABELS, PLATES),
    ):
        assert [score.value for score in found] == pytest.approx([score.null for score in found], abs=0.1)
    assert class_separation(NOISE, LABELS)[0].value == pytest.approx(silhouette_score(NOISE, LABELS))
    clusters = np.random.default_rng(1).integers(5, size=300)
    for one, other, by in zip(
        cluster_agreement(LABELS, clusters),
        (0, normalized_mutual_info_score(LABELS, np.random.default_rng(2).permutation(clusters)), 0),
        (adjusted_rand_score, normalized_mutual_info_score, adjusted_mutual_info_score),
        strict=True,
    ):
        assert one.value == pytest.approx(by(LABELS, clusters))
        assert one.null == pytest.approx(other, abs=0.02)


def test_the_null_of_a_probe_is_the_largest_kind():
    few = np.where(np.arange(300) < 210, "common", "rare")
    assert probe_accuracy(NOISE, few)[0].null == 0.7
    assert probe_accuracy(NOISE, few)[0].value == pytest.approx(0.7, abs=0.03)


def test_what_a_probe_remembers_of_a_plate_does_not_count():
    """Each plate holds one kind and lies by itself: within plates the kind is told, of other plates it is not."""
    kinds = np.repeat(np.random.default_rng(3).permutation(["a", "b"] * 3), 50)
    alone, apart = (probe_accuracy(PLATES_ALONE, kinds, groups)[1].value for groups in (None, PLATES))
    assert alone > 0.95 > 0.8 > apart


def test_a_plate_memory_is_seen():
    found = [score.value for score in batch_predictability(PLATES_ALONE, PLATES)]
    assert found == pytest.approx([1, 1], abs=0.02)
    assert [s.value for s in batch_predictability(NOISE, PLATES)] == pytest.approx([1 / 6] * 2, abs=0.08)
    assert batch_predictability(NOISE, PLATES)[0].null == pytest.approx(1 / 6)
    assert batch_mixing(PLATES_ALONE, PLATES)[0].value < 0.02
    assert batch_mixing(NOISE, PLATES)[0].value == pytest.approx(1, abs=0.05)
    near = NearestNeighbors(n_neighbors=15).fit(POINTS).kneighbors(return_distance=False)
    by_hand = (PLATES[near] != PLATES[:, None]).mean() / (250 / 299)
    assert batch_mixing(POINTS, PLATES)[0].value == pytest.approx(by_hand)


def test_a_kind_is_looked_for_within_a_plate_in_others_and_in_other_batches():
    """By brute force; codes lie by plates and, within those, by kinds, differently in each."""
    random = np.random.default_rng(10)
    turns = [random.permutation(3) for _ in range(6)]
    place = np.array([turns[i // 50][i % 3] for i in range(300)])
    codes = PLATES_ALONE + 8 * np.eye(3)[place]
    distances = np.linalg.norm(codes[:, None] - codes, axis=2)
    np.fill_diagonal(distances, np.inf)
    plate, batch = PLATES[:, None] == PLATES, BATCHES[:, None] == BATCHES
    levels = {"same group": plate, "other group": ~plate & batch, "other batch": ~batch}
    found = {score.part: score for score in label_by_batch(codes, LABELS, PLATES, BATCHES)}
    for part, may in levels.items():
        nearest = np.where(may, distances, np.inf).argmin(1)
        assert found[part].value == pytest.approx((LABELS[nearest] == LABELS).mean())
    assert found["same group"].value > 0.9 > 0.6 > found["other group"].value
    assert found[""].value == found["other batch"].value
    assert found["other batch"].null == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", [n for n in (*OF_FACTORS, "probe_accuracy", "class_separation") if n != "probe_r2"])
@pytest.mark.parametrize(
    ("codes", "known", "reason"),
    [
        (np.zeros((1, 2)), [0], "there are fewer than"),
        (np.zeros((0, 2)), [], "there are fewer than"),
        (np.full((40, 2), np.nan), np.arange(40) % 2, "a code is not finite"),
        (NOISE[:40], np.zeros(40), "no factor varies|factors vary|all images are of one kind"),
    ],
)
def test_what_cannot_be_measured_is_no_number_and_says_why(name, codes, known, reason):
    known = np.array(known, float) if name not in OF_FACTORS else np.column_stack([known, known]).astype(float)
    (score,) = METRICS[name](codes, known)
    assert np.isnan(score.value)
    assert any(part in score.reason for part in reason.split("|"))
    assert score.count == len(codes)


@pytest.mark.parametrize("name", OF_FACTORS)
@pytest.mark.parametrize(
    "codes", [np.zeros((60, 3)), NOISE[:60, :1], NOISE[[0] * 60], np.repeat(NOISE[:6], 10, axis=0)]
)
def test_constant_lone_and_repeated_codes_give_numbers_or_reasons(name, codes):
    for score in METRICS[name](codes, Y[:60]):
        assert np.isfinite(score.value) != bool(score.reason)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(InputError, match=r"factors should be numbers, got text\. Kinds are labels\."):
        sap(NOISE, LABELS[:, None])
    with pytest.raises(InputError, match="labels should have a value for every image, got missing ones"):
        class_separation(NOISE, np.array([None, *LABELS[1:]], dtype=object))
