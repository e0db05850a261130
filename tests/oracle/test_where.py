"""Where a latent acts, and what goes with it: against scipy, scikit-learn, closed forms and simulated coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, spearmanr
from sklearn.decomposition import PCA

from vaelab.errors import InputError
from vaelab.explanation import follows, where
from vaelab.explanation.directions import principal_directions
from vaelab.explanation.follows import numbers_of
from vaelab.explanation.where import simultaneous

RANDOM = np.random.default_rng(0)


def test_correlations_are_those_of_scipy_without_what_is_missing():
    places, table = RANDOM.normal(size=(60, 2)), pd.DataFrame(RANDOM.normal(size=(60, 2)), columns=["a", "b"])
    table["tied"] = np.round(places[:, 0])
    table.loc[::7, "b"] = np.nan
    table["same"], table["few"] = 1.0, np.where(np.arange(60) < 9, table["a"], np.nan)
    found = follows(places, table, ["z0", "z1"])
    for i in range(2):
        for j, name in enumerate(("a", "b", "tied")):
            there = table[name].notna()
            expected = spearmanr(places[there, i], table.loc[there, name]).statistic
            assert found.correlations[i, j] == pytest.approx(expected)
    assert np.isnan(found.correlations[:, 3:]).all()
    assert not found.shown[:, 3:].any()
    assert found.strongest(0) == [2]


def test_the_interval_holds_the_true_correlation_as_often_as_it_says():
    """Of two Gaussians with correlation r Spearman's is 6 / pi asin(r / 2)."""
    r, held = 0.6, 0
    for _ in range(200):
        x = RANDOM.normal(size=(50, 1))
        y = pd.DataFrame(r * x + np.sqrt(1 - r**2) * RANDOM.normal(size=(50, 1)))
        found = follows(x, y)
        held += found.low[0, 0] < 6 / np.pi * np.arcsin(r / 2) < found.high[0, 0]
    assert 0.9 <= held / 200 <= 0.99


def test_kinds_become_columns_of_0_and_1_and_names_of_files_do_not():
    table = pd.DataFrame({"moa": [*"abcabc", None], "on": [True, False, True, True, False, True, True]})
    table = table.assign(path=[f"{i}.png" for i in range(7)], grade=[1, 2, 1, 2, 1, 2, 1], same="x")
    found = numbers_of(table)
    assert list(found) == ["moa = a", "moa = b", "moa = c", "on = True", "grade = 2"]
    np.testing.assert_array_equal(found["moa = b"], [0, 1, 0, 0, 1, 0, np.nan])


@pytest.mark.parametrize("count", [1, 50])
def test_of_independent_pixels_the_margin_is_that_of_sidak(count):
    differences = np.random.default_rng(1).normal(size=(500, count))
    mean, margin = simultaneous(differences)
    error = differences.std(0, ddof=1) / np.sqrt(500)
    np.testing.assert_allclose(mean, differences.mean(0))
    assert (margin / error).mean() == pytest.approx(norm.isf((1 - 0.95 ** (1 / count)) / 2), rel=0.05)


def test_pixels_that_move_together_cost_no_more_than_one():
    one = np.random.default_rng(2).normal(size=(300, 1))
    np.testing.assert_allclose(simultaneous(np.tile(one, 40))[1], simultaneous(one)[1][0])


def test_all_pixels_hold_together_as_often_as_is_said():
    held = [
        bool((np.abs(mean) <= margin).all())
        for mean, margin in (simultaneous(np.random.default_rng(i).normal(size=(64, 20)), i) for i in range(100))
    ]
    assert 0.88 <= np.mean(held) <= 0.99


def test_of_a_decoder_that_is_known_each_latent_acts_where_it_does():
    """The first latent is the upper row, whatever the rest; the second the left column, as far as the first goes."""
    codes = np.random.default_rng(3).normal(size=(40, 3))

    def decode(z, rows):
        x = np.zeros((len(z), 1, 4, 4))
        x[:, 0, 0] = 0.1 * z[:, :1]
        x[:, 0, 1:, 0] = 0.1 * (z[:, 1] * codes[rows, 0])[:, None]
        return x

    found = where(decode, codes, np.arange(40), np.eye(3), np.tile([-2.0, 2.0], (3, 1)))
    np.testing.assert_allclose(found.changes[0, 0, 0], 0.4)
    assert found.shown[0].sum() == 4
    assert found.shown[0, 0, 0].all()
    np.testing.assert_allclose(found.margins[0], 0, atol=1e-12)
    np.testing.assert_allclose(found.changes[1, 0, 1:, 0], 0.4 * codes[:, 0].mean())
    assert not found.shown[2].any()
    with pytest.raises(InputError, match="moved should be at least 8, got 7"):
        where(decode, codes[:7], np.arange(7), np.eye(3), np.tile([-2.0, 2.0], (3, 1)))


def test_axes_are_those_of_pca():
    codes = RANDOM.normal(size=(80, 4)) * [3, 2, 1, 0] + 5
    found = principal_directions(codes, 9)
    assert list(found) == ["axis 1", "axis 2", "axis 3"]
    np.testing.assert_allclose(np.abs(np.stack([*found.values()])), np.abs(PCA(3).fit(codes).components_), atol=1e-9)
    assert all(axis[np.abs(axis).argmax()] > 0 for axis in found.values())
