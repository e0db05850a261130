"""Codes are aligned and compared as scipy, scikit-learn, brute force and closed forms say."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial import procrustes as scipy_procrustes
from scipy.stats import ortho_group
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import NearestNeighbors

from vaelab.errors import InputError
from vaelab.evaluation.alignment import (
    Agreement,
    agreement,
    linear_r2,
    match_latents,
    procrustes,
    shared_neighbours,
)

RANDOM = np.random.default_rng(3)
Z, NOISE = RANDOM.normal(size=(120, 4)) * [3, 2, 1, 0.5], RANDOM.normal(size=(120, 4))


def test_what_procrustes_leaves_is_what_scipy_leaves_and_it_is_the_same_both_ways():
    other = Z @ RANDOM.normal(size=(4, 4)) + 2 * NOISE
    for one, two in ((Z, other), (other, Z), (Z[:, :2], other[:, 2:])):
        assert procrustes(one, two)[1] == pytest.approx(scipy_procrustes(two, one)[2], abs=1e-12)
        assert procrustes(one, two)[1] == pytest.approx(procrustes(two, one)[1], abs=1e-12)


def test_aligned_codes_leave_just_that_and_no_other_turn_leaves_less():
    other = Z[:, [2, 0, 1, 3]] + NOISE
    aligned, left = procrustes(other, Z)
    total = ((Z - Z.mean(0)) ** 2).sum()
    assert ((aligned - Z) ** 2).sum() / total == pytest.approx(left)
    kept, same = procrustes(other, Z, scaled=False)
    assert same == left
    assert np.linalg.norm(kept - kept.mean(0)) == pytest.approx(np.linalg.norm(other - other.mean(0)))
    centred, best = other - other.mean(0), ((kept - Z) ** 2).sum()
    for turn in ortho_group.rvs(4, size=50, random_state=0):
        assert ((centred @ turn + Z.mean(0) - Z) ** 2).sum() >= best


def test_turned_scaled_and_shifted_codes_agree_wholly_though_their_latents_do_not():
    turned = 5 * Z @ ortho_group.rvs(4, random_state=1) - 2
    found = agreement(Z, turned)
    assert (found.unexplained, found.neighbours) == pytest.approx((0, 1), abs=1e-12)
    assert found.r2 == pytest.approx((1, 1))
    assert found.matched < 0.99
    assert found.reason == ""
    again = agreement(Z, -3 * Z[:, [3, 1, 0, 2]] + 1)
    assert again.matched == pytest.approx(1)


def test_noise_of_known_size_leaves_its_share():
    """A latent with independent noise of its own size: half of the variance, and a correlation of the root of half."""
    z, noise = RANDOM.normal(size=(2, 20_000, 1))
    found = agreement(z, z + noise)
    assert found.count == 2000
    assert found.unexplained == pytest.approx(0.5, abs=0.05)
    assert found.matched == pytest.approx(0.5**0.5, abs=0.04)
    assert found.r2 == pytest.approx((0.5, 0.5), abs=0.05)


def test_codes_that_have_nothing_in_common_agree_as_far_as_chance():
    found = agreement(*RANDOM.normal(size=(2, 1000, 3)))
    assert found.chance == 10 / 999
    assert found.neighbours == pytest.approx(found.chance, abs=0.006)
    assert found.unexplained > 0.95
    assert max(found.r2) < 0.01


def test_latents_are_matched_as_by_trying_all_orders():
    for seed in range(5):
        one, other = np.random.default_rng(seed).normal(size=(2, 30, 4))
        table = np.abs(np.corrcoef(one.T, other.T)[:4, 4:])
        best = max(sum(table[i, j] for i, j in enumerate(order)) for order in permutations(range(4)))
        found = match_latents(one, other)
        assert np.abs(found.correlations).sum() == pytest.approx(best)
        aligned = found.align(other)
        assert all(np.corrcoef(a, b)[0, 1] >= 0 for a, b in zip(one.T, aligned.T, strict=True))


def test_latents_without_a_partner_are_none():
    found = match_latents(Z, -Z[:, [2]])
    assert found.latents.tolist() == [-1, -1, 0, -1]
    assert found.correlations.tolist() == pytest.approx([0, 0, -1, 0])
    np.testing.assert_allclose(found.align(-Z[:, [2]]), Z * [0, 0, 1, 0])


def test_a_linear_map_is_judged_by_images_left_out_of_its_fit():
    other = Z[:, :2] @ RANDOM.normal(size=(2, 3)) + NOISE[:, :3]
    told = cross_val_predict(LinearRegression(), Z, other, cv=LeaveOneOut())
    expected = 1 - ((other - told) ** 2).sum() / ((other - other.mean(0)) ** 2).sum()
    assert linear_r2(Z, other) == pytest.approx(expected)
    doubled = np.column_stack([Z, Z[:, 0], np.ones(len(Z))])
    assert linear_r2(doubled, other) == pytest.approx(expected)


def test_shared_neighbours_are_those_that_scikit_learn_finds():
    near = [NearestNeighbors(n_neighbors=11).fit(z).kneighbors(z)[1][:, 1:] for z in (Z, Z + NOISE)]
    expected = [len({*a} & {*b}) / 10 for a, b in zip(*near, strict=True)]
    assert shared_neighbours(Z, Z + NOISE).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (Z[:2], Z[:2], "agreement needs 3 images"),
        (Z, np.ones((120, 2)), "codes are the same for all images"),
        (np.full((120, 1), np.nan), Z, "codes are not finite"),
        (Z[:5], NOISE[:5], "neighbours need"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "agreement needs 3 images"),
    ],
)
def test_what_cannot_be_compared_says_why(one, other, reason):
    assert agreement(one, other).reason.startswith(reason)


def test_few_and_odd_images_give_what_there_is():
    found = agreement(RANDOM.normal(size=(13, 20)), RANDOM.normal(size=(13, 20)))
    assert "more images than latents" in found.reason
    assert 0 <= found.unexplained <= 1
    assert np.isnan(found.r2).all()
    duplicated = agreement(np.repeat(Z[:10], 12, axis=0), np.repeat(Z[:10], 12, axis=0))
    assert (duplicated.neighbours, duplicated.unexplained) == pytest.approx((1, 0))
    alone = np.eye(120)[:, :1]
    assert isinstance(agreement(alone, Z), Agreement)
    assert np.isnan(linear_r2(alone, Z))
    assert np.isnan(procrustes(np.ones((9, 2)), Z[:9])[1])


def test_codes_of_other_images_are_refused():
    with pytest.raises(InputError, match="other should be codes of the same 120 images, got those of 9"):
        agreement(Z, Z[:9])
    with pytest.raises(InputError, match=r"one should be codes \(image, latent\)"):
        agreement(Z[:, 0], Z)
