"""Probes against scikit-learn's own R^2, and against what must come out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from vaelab.evaluation.probes import probe_r2

from vaelab.errors import InputError

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(600, 3))


def test_linear_is_that_of_scikit_learn():
    y = Z @ [1, -2, 0] + RNG.normal(size=600)
    found = probe_r2(Z[:400], y[:400], Z[400:], y[400:])
    by_hand = r2_score(y[400:], LinearRegression().fit(Z[:400], y[:400]).predict(Z[400:]))
    assert found.value == pytest.approx(by_hand)
    assert found.interval[0] < found.value < found.interval[1]


def test_neighbours_find_what_is_bent_and_a_line_does_not():
    y = np.abs(Z[:, 0])
    linear, neighbours = (
        probe_r2(Z[:400], y[:400], Z[400:], y[400:], probe).value for probe in ("linear", "neighbours")
    )
    assert linear < 0.1
    assert neighbours > 0.5


def test_numbers_that_have_nothing_to_do_with_the_codes_score_nothing():
    y = RNG.normal(size=600)
    assert probe_r2(Z[:400], y[:400], Z[400:], y[400:]).value < 0.05
    assert probe_r2(Z[:400], y[:400], Z[400:], y[400:], "neighbours").value < 0.05


def test_bad_input_is_refused():
    with pytest.raises(InputError, match=r"probe_r2.codes should be one for each of 3 numbers, got 2"):
        probe_r2(Z[:2], Z[:3, 0], Z, Z[:, 0])
    with pytest.raises(InputError, match="should differ from each other"):
        probe_r2(Z, Z[:, 0], Z, np.ones(600))
