"""Probes against scikit-learn's own R^2, and against what must come out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

from vaelab.errors import InputError
from vaelab.metrics.probe_r2 import probe_r2

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(600, 3))


def fitted(y, **settings):
    """Fitted to the first 400 images, judged by the others."""
    return probe_r2(Z[400:], y[400:, None], (), Z[:400], y[:400, None], **settings)[0]


def test_linear_is_that_of_scikit_learn():
    y = Z @ [1, -2, 0] + RNG.normal(size=600)
    found = fitted(y)
    by_hand = r2_score(y[400:], LinearRegression().fit(Z[:400], y[:400]).predict(Z[400:]))
    assert found.value == pytest.approx(by_hand)
    assert found.interval[0] < found.value < found.interval[1]
    assert (found.null, found.ceiling, found.count) == (0, 1, 200)


def test_neighbours_are_those_of_scikit_learn_and_find_what_is_bent():
    y = np.abs(Z[:, 0])
    scaler = StandardScaler().fit(Z[:400])
    model = KNeighborsRegressor(10).fit(scaler.transform(Z[:400]), y[:400])
    neighbours = fitted(y, probe="neighbours").value
    assert neighbours == pytest.approx(r2_score(y[400:], model.predict(scaler.transform(Z[400:]))))
    assert fitted(y).value < 0.1
    assert neighbours > 0.5


def test_without_other_images_each_fifth_is_predicted_from_the_others():
    y = np.stack([Z @ [1, -2, 0] + RNG.normal(size=600), RNG.normal(size=600), np.ones(600)], 1)
    whole, signal, nothing = probe_r2(Z, y, ("signal", "nothing", "constant"))
    assert (whole.part, signal.part, nothing.part) == ("", "signal", "nothing")
    assert signal.value == pytest.approx(5 / 6, abs=0.04)
    assert -0.1 < nothing.value < 0.03, "of what it was fitted to, a probe predicts more than nothing"
    assert whole.value == pytest.approx((signal.value + nothing.value) / 2)
    order = RNG.permutation(600)
    assert probe_r2(Z[order], y[order])[0].value == pytest.approx(whole.value, rel=1e-9)


def test_what_belongs_together_is_predicted_from_other_groups():
    """Five plates, each with a shift of its own that codes and numbers share: scikit-learn leaves one out at a time."""
    plate = np.repeat([f"plate {i}" for i in range(5)], 120)
    shift = 9 * RNG.normal(size=5).repeat(120)
    z, y = Z + shift[:, None] * [1, 0, 0], (shift + RNG.normal(size=600))[:, None]
    found = probe_r2(z, y, groups=plate)[0]
    predicted = cross_val_predict(LinearRegression(), z, y, groups=plate, cv=LeaveOneGroupOut())
    assert found.value == pytest.approx(r2_score(y, predicted))
    alone = probe_r2(z, y)[0]
    assert found.interval[1] - found.interval[0] > 3 * (alone.interval[1] - alone.interval[0]), "five plates, not 600"


def test_numbers_that_have_nothing_to_do_with_the_codes_score_nothing():
    y = RNG.normal(size=600)
    assert fitted(y).value < 0.05
    assert fitted(y, probe="neighbours").value < 0.05


def test_what_cannot_be_predicted_is_refused_or_says_why():
    with pytest.raises(InputError, match=r"train_codes should be one for each of none images"):
        probe_r2(Z, Z, (), Z[:3])
    assert probe_r2(Z[:1], Z[:1])[0].reason == "there are fewer than 2 images"
    assert probe_r2(Z, Z, groups=np.zeros(600))[0].reason == "there is one group alone"
    assert probe_r2(Z, np.ones((600, 1)))[0].reason == "no factor varies"
    assert probe_r2(np.full((9, 2), np.nan), Z[:9])[0].reason == "a code is not finite"
