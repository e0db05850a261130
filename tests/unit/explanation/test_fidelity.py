"""A classifier that says other things of reconstructions than of images is noticed, with numbers in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr

from vaelab.errors import InputError
from vaelab.explanation.fidelity import GATE, fidelity
from vaelab.metrics import interval

RANDOM = np.random.default_rng(0)
P = RANDOM.dirichlet(np.ones(3), 200)


def test_the_same_answers_agree_and_opposite_ones_do_not():
    found = fidelity(P, P)
    assert (found.agreement.value, found.correlation.value) == (1, pytest.approx(1))
    assert found.correlation.interval == pytest.approx((1, 1))
    assert found.warning == ""
    two = P[:, :2] / P[:, :2].sum(1, keepdims=True)
    halved = fidelity(two, 0.25 + two / 2).correlation.value
    assert halved == pytest.approx(pearsonr(two[:, 0], 0.25 + two[:, 0] / 2)[0])
    opposite = fidelity(two, two[:, ::-1])
    assert (opposite.agreement.value, opposite.correlation.value) == (0, pytest.approx(-1))


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_the_correlation_of_a_number_with_noise_is_in_closed_form(noise):
    """1 / sqrt(1 + noise^2), whatever the unit."""
    x = RANDOM.normal(size=20_000)
    found = fidelity(100 + 5 * x, 2 * (x + noise * RANDOM.normal(size=20_000)))
    expected = 1 / np.sqrt(1 + noise**2)
    assert found.agreement is None
    assert found.correlation.value == pytest.approx(expected, abs=0.01)
    assert found.correlation.interval[0] - 0.01 < expected < found.correlation.interval[1] + 0.01
    assert bool(found.warning) == (expected < GATE)
    assert ("correlation 0.7" in found.warning) == (noise == 1)


def test_they_are_those_of_scipy_with_the_bootstrap_of_any_statistic():
    other = 0.6 * P + 0.4 * RANDOM.dirichlet(np.ones(3), 200)
    found = fidelity(P, other)

    def of_all(a, b):
        flat = [(each - each.mean(0)).ravel() for each in (a, b)]
        return float(pearsonr(*flat)[0])

    assert found.correlation.value == pytest.approx(of_all(P, other), rel=1e-9)
    assert found.correlation.interval == pytest.approx(interval(of_all, P, other), rel=1e-3)
    assert found.agreement.value == np.mean(P.argmax(1) == other.argmax(1))
    assert found.value == min(found.agreement.value, found.correlation.value)


def test_a_classifier_that_says_the_commonest_class_of_every_reconstruction_does_not_pass():
    """Of 95 % of the images it says the same."""
    rare = np.arange(200) < 10
    p = np.where(rare[:, None], [0.1, 0.9], [0.9, 0.1])
    constant = fidelity(p, np.full((200, 2), [0.9, 0.1]))
    assert constant.agreement.value == 0.95
    assert np.isnan(constant.correlation.value)
    assert "does not vary" in constant.warning
    wavering = fidelity(p, np.array([0.9, 0.1]) + 0.01 * RANDOM.random((200, 1)) * [-1, 1])
    assert wavering.agreement.value == 0.95
    assert "agreement 0.95 and correlation" in wavering.warning


def test_over_groups_intervals_are_those_of_one_image_a_group():
    y = 0.6 * P + 0.4 * RANDOM.dirichlet(np.ones(3), 200)
    many = np.repeat(np.arange(40), 5)
    one, grouped = fidelity(P[:40], y[:40]), fidelity(P[many], y[many], groups=many)
    assert grouped.correlation.interval == pytest.approx(one.correlation.interval, rel=1e-6)
    assert grouped.agreement.interval == pytest.approx(one.agreement.interval, rel=1e-6)


def test_what_cannot_be_compared_is_refused_and_one_image_says_nothing():
    assert np.isnan(fidelity(P[:1], P[:1]).correlation.value)
    assert fidelity(P[:1], P[:1]).warning
    for bad in (P[:5], np.full_like(P, np.nan)):
        with pytest.raises(InputError):
            fidelity(P, bad)
    with pytest.raises(InputError, match="not empty"):
        fidelity(P[:0], P[:0])
