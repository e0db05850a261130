"""What an explanation drags along, where a linear decoder and logistic classifiers say how far it must."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cityblock
from torch import nn

from tests.unit.explanation.test_exaggeration import SCALE, Linear, logit
from vaelab.errors import InputError
from vaelab.explanation import explain
from vaelab.explanation.confounders import accuracy_over_cells, balanced, drag, value_with

LOW, HIGH = 0.1, 0.9
SLOPE = 1.5
"""Of the oracle."""


class Of(nn.Module):
    """A logistic function of a sum of the first latents: the class, and the confounder."""

    def __init__(self, model, *weights):
        super().__init__()
        self.axis = model.axes.detach()[:, : len(weights)] @ torch.tensor(weights) / SCALE**2

    def forward(self, x):
        score = (x.flatten(1) - 0.5) @ self.axis
        return torch.stack([-score, score], 1).mul(0.5).softmax(1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture(scope="module")
def model():
    return Linear()


@pytest.fixture(scope="module")
def x(model):
    return model.decode(torch.randn(60, 3, generator=torch.Generator().manual_seed(1))).mean.detach()


def ends(model, x, classifier):
    """What the oracle of the second latent says at both ends of each series."""
    found = explain(model, classifier, x, targets=[LOW, HIGH], methods=["latent_shift"])
    images = torch.from_numpy(found.series["latent_shift"].images)
    oracle = Of(model, 0.0, SLOPE)
    return [oracle(images[:, step]).numpy() for step in (0, 1)], found.codes


@pytest.mark.parametrize(("own", "other"), [(1.0, 1.0), (1.0, 0.5), (1.0, -2.0)])
def test_a_classifier_that_reads_the_confounder_drags_it_as_far_as_it_must(model, x, own, other):
    """f is of a z0 + b z1, so the code goes along (a, b), so z1 to z1 + b (logit(target) - f) / (a² + b²)."""
    biased, codes = ends(model, x, Of(model, own, other))
    unbiased, _ = ends(model, x, Of(model, own, 0.0))
    found = drag(*biased, *unbiased, value=1)
    score = own * codes[:, 0] + other * codes[:, 1]
    low, high = (
        sigmoid(SLOPE * (codes[:, 1] + other * (logit(target) - score) / (own**2 + other**2))) for target in (LOW, HIGH)
    )
    assert found.moved.value == pytest.approx(np.abs(high - low).mean(), abs=0.01)
    assert found.toward.value == pytest.approx((high - low).mean(), abs=0.01)
    assert found.baseline_moved.value == pytest.approx(0, abs=0.01)
    assert found.difference.interval[0] > 0.2
    assert found.verdict("plate").startswith("The classifier follows plate: the explanation moves plate by 0.")


def test_a_classifier_that_does_not_read_it_is_not_said_to(model, x):
    unbiased, _ = ends(model, x, Of(model, 1.0, 0.0))
    found = drag(*unbiased, *unbiased, value=1)
    assert found.difference.value == 0
    assert "no difference is shown" in found.verdict("plate")


@pytest.fixture
def planted():
    """(four ends): probabilities of four values."""
    return np.random.default_rng(0).dirichlet(np.ones(4), (4, 30))


def test_each_number_is_a_plain_mean_over_images(planted):
    found = drag(*planted, value=2)
    lower, upper, baseline_lower, baseline_upper = planted
    moved = np.array([cityblock(a, b) / 2 for a, b in zip(lower, upper, strict=True)])
    baseline = np.array([cityblock(a, b) / 2 for a, b in zip(baseline_lower, baseline_upper, strict=True)])
    assert found.moved.value == pytest.approx(moved.mean())
    assert found.baseline_moved.value == pytest.approx(baseline.mean())
    assert found.difference.value == pytest.approx((moved - baseline).mean())
    assert found.toward.value == pytest.approx((upper - lower)[:, 2].mean())
    assert found.baseline_toward.value == pytest.approx((baseline_upper - baseline_lower)[:, 2].mean())
    half = 1.96 * (moved - baseline).std() / np.sqrt(30)
    np.testing.assert_allclose(
        found.difference.interval, (moved - baseline).mean() + np.array([-half, half]), atol=0.2 * half
    )


def test_what_is_moved_less_is_said_to_be_and_small_differences_do_not_count():
    still, half, wholly = (np.tile([1 - p, p], (20, 1)) for p in (0.0, 0.04, 0.9))
    assert drag(still, still, still, wholly, 1).verdict("well") == (
        "Nothing shows that the classifier follows well: the explanation moves well by 0.90 less than that of a "
        "classifier trained on balanced data (0.90 to 0.90)"
    )
    assert drag(still, half, still, still, 1).verdict("well") == (
        "Of well no difference is shown (+0.04, +0.04 to +0.04; it counts beyond 0.05)"
    )


def test_of_one_image_nothing_is_said(planted):
    found = drag(*planted[:, :1], value=0)
    assert found.moved.interval is None
    assert found.verdict("plate") == "Of plate nothing is said, as there is one image alone"


def test_balanced_images_have_class_and_column_independent():
    random = np.random.default_rng(0)
    is_class = random.random(2000) < 0.3
    values = np.where(random.random(2000) < 0.9, is_class * 2, random.integers(-1, 4, 2000))
    rows = balanced(is_class, values, seed=1)
    assert len(set(rows)) == len(rows)
    for value in range(-1, 4):
        inside = (values == value) & is_class
        rarer = min(inside.sum(), ((values == value) & ~is_class).sum()) * (value >= 0)
        counts = [((values == value) & side)[rows].sum() for side in (is_class, ~is_class)]
        assert counts == [rarer, rarer]
    assert rows.tolist() == balanced(is_class, values, seed=1).tolist()
    assert rows.tolist() != balanced(is_class, values, seed=2).tolist()


def test_where_they_go_together_wholly_nothing_is_left():
    is_class = np.arange(20) % 2 == 0
    assert not len(balanced(is_class, is_class.astype(int)))
    assert not len(balanced(is_class, np.full(20, -1)))


def test_the_value_that_goes_with_the_class_is_the_one_it_has_more_often_than_others():
    """Value 0 is the commonest in both; value 2 is rare, and only in the class."""
    is_class = np.arange(100) < 40
    values = np.where(is_class, np.where(np.arange(100) < 15, 2, 0), np.where(np.arange(100) < 50, 1, 0))
    assert value_with(is_class, values) == 2


def test_a_classifier_of_a_column_that_reads_the_class_alone_is_at_chance():
    random = np.random.default_rng(0)
    is_class = random.integers(0, 2, 3000)
    values = np.where(random.random(3000) < 0.95, is_class, 1 - is_class)
    lazy = accuracy_over_cells(is_class == values, values, is_class)
    assert (is_class == values).mean() > 0.94
    assert lazy.value == pytest.approx(0.5)
    assert lazy.interval[0] <= lazy.null == 0.5
    able = accuracy_over_cells(random.random(3000) < 0.8, values, is_class)
    assert able.interval[0] > 0.7
    assert able.value == pytest.approx(0.8, abs=0.04)
    together = accuracy_over_cells(np.ones(10, bool), np.arange(10) % 2, np.arange(10) % 2)
    assert together.value == together.null == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"upper": np.full((30, 4), np.nan)}, "upper should be probabilities"),
        ({"baseline_lower": np.full((30, 4), 0.5)}, "baseline_lower should be probabilities"),
        ({"baseline_upper": np.full((29, 4), 0.25)}, "baseline_upper should have a row for each image"),
        ({"lower": np.zeros((0, 4))}, "lower should have a row for each image"),
        ({"value": 4}, "value should be from 0 to 3, got 4"),
    ],
)
def test_what_is_no_such_array_is_refused_in_a_sentence(planted, change, sentence):
    names = ("lower", "upper", "baseline_lower", "baseline_upper")
    given = dict(zip(names, planted, strict=True)) | {"value": 0} | change
    with pytest.raises(InputError, match=sentence):
        drag(**given)
