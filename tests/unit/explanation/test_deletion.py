"""Deletion and insertion where it is known at which pixels the classifier looks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import trapezoid
from scipy.ndimage import gaussian_filter
from sklearn.metrics import mutual_info_score
from torch import nn

from vaelab.errors import InputError
from vaelab.explanation import Explained, Series, judge_of
from vaelab.explanation.deletion import deletion_curves, deletion_tests
from vaelab.metrics._deletion import area_scores

COUNT, SIDE, STEPS = 80, 8, 11
PLACES = ((1, 1), (2, 6), (5, 3), (6, 6))
RANDOM = np.random.default_rng(0)
IS_ON = RANDOM.integers(2, size=COUNT)


def images():
    """Noise, whose pixels at the four places are dark in one class and bright in the other."""
    x = RANDOM.random((COUNT, 2, SIDE, SIDE)).astype(np.float32)
    for row, column in PLACES:
        x[:, :, row, column] = (0.1 + 0.8 * IS_ON)[:, None]
    return x


class FourPixels(nn.Module):
    """Looks at the mean of the first channel at four places, and at nothing else."""

    def forward(self, x):
        rows, columns = zip(*PLACES, strict=True)
        logit = 20 * (x[:, 0, rows, columns].mean(1) - 0.5)
        return torch.stack([-logit, logit], 1).mul(0.5).softmax(1)


X = images()
JUDGE = judge_of(FourPixels())
TRUE = np.zeros((COUNT, SIDE, SIDE))
TRUE[:, *zip(*PLACES, strict=True)] = 1


def explained():
    """The counterfactual is the negative: all four pixels say the other class."""
    said = JUDGE(torch.from_numpy(X)).numpy()
    targets = np.tile([0.05, 0.95], (COUNT, 1))
    steps = np.where((IS_ON == 1)[:, None, None, None, None], np.stack([1 - X, X], 1), np.stack([X, 1 - X], 1))
    series = Series(
        method="latent_shift",
        is_baseline=False,
        codes=np.zeros((COUNT, 2, 1)),
        images=steps,
        said=targets,
        seconds=0.0,
        draw=lambda scene, targets: None,
    )
    return Explained(
        name="on",
        images=X,
        reconstructions=X,
        codes=np.zeros((COUNT, 1)),
        said=said,
        said_of_reconstructions=said,
        targets=targets,
        series={"latent_shift": series},
        judge=JUDGE,
    )


EXPLAINED = explained()


def curves(saliency=TRUE, **how):
    return deletion_curves(EXPLAINED, saliency, **how)


def test_by_the_counterfactual_the_four_pixels_turn_every_image_at_once():
    """6 of 64 pixels at the first step: 1, then 0; the area is half a step, that of random pixels half of all."""
    found = curves(by="counterfactual")
    np.testing.assert_array_equal(found.accuracy[0], [1] + [0] * (STEPS - 1))
    assert found.accuracy[1, 5] == pytest.approx(0.5, abs=0.15)
    assert (found.accuracy[1, 0], found.accuracy[1, -1]) == (1, 0)
    score = found.measured.score("deletion_area")
    assert score.value == pytest.approx(0.05 - trapezoid(found.accuracy[1], found.shares))
    assert score.interval[1] < -0.3
    back = curves(by="counterfactual", way="inserted")
    np.testing.assert_array_equal(back.accuracy[0], [0] + [1] * (STEPS - 1))
    assert back.measured.score("insertion_area").interval[0] > 0.3


@pytest.mark.parametrize("by", ["noise", "blur", "counterfactual"])
def test_true_saliency_differs_from_random_pixels(by):
    """Blurred, the four pixels still say their class, but less surely."""
    for way, metric in (("deleted", "deletion_area"), ("inserted", "insertion_area")):
        for part in ("probability",) if by == "blur" else ("", "probability"):
            low, high = curves(by=by, way=way).measured.score(metric, part).interval
            assert (high < -0.03) if way == "deleted" else (low > 0.03)


def test_the_interval_of_a_random_saliency_holds_0_in_most_draws():
    hits = 0
    for seed in range(20):
        noise = np.random.default_rng(seed).random((COUNT, SIDE, SIDE))
        found = curves(noise, by="counterfactual", seed=100 + seed)
        low, high = next(iter(area_scores(found.classes, found.said, found.reference))).interval
        hits += low < 0 < high
    assert hits >= 17


def test_noise_in_four_pixels_leaves_no_information_and_that_of_the_table_is_that_of_scikit_learn():
    found = curves()
    assert found.accuracy[0, 1:].max() < 0.75
    for i in range(2):
        expected = [mutual_info_score(IS_ON, found.classes[:, i, j]) for j in range(STEPS)]
        np.testing.assert_allclose(found.information[i], expected, atol=1e-12)
    score = found.measured.score("deletion_area", "mutual information")
    area = trapezoid(found.information, found.shares, axis=1) / mutual_info_score(IS_ON, IS_ON)
    assert score.value == pytest.approx(area[0] - area[1])
    assert score.interval[1] < -0.1


def test_the_interval_of_the_information_is_that_of_a_bootstrap_by_hand():
    found = curves()

    def entropy(shares):
        return -sum(p * np.log(p) for p in shares if p)

    def information(a, b):
        joint = [np.mean((a == i) & (b == j)) for i in (0, 1) for j in (0, 1)]
        return sum(entropy([np.mean(c == 0), np.mean(c == 1)]) for c in (a, b)) - entropy(joint)

    def by_hand(rows):
        kinds, said = IS_ON[rows], found.classes[rows]
        values = [[information(kinds, said[:, i, j]) for j in range(STEPS)] for i in range(2)]
        return np.subtract(*trapezoid(values, found.shares, axis=1)) / information(kinds, kinds)

    draws = np.random.default_rng(9).integers(COUNT, size=(150, COUNT))
    expected = np.quantile([by_hand(rows) for rows in draws], [0.025, 0.975])
    np.testing.assert_allclose(
        found.measured.score("deletion_area", "mutual information").interval, expected, atol=0.05
    )


def test_both_ends_are_the_image_and_its_replacement_whatever_the_order():
    whole = JUDGE(torch.from_numpy(X)).double().numpy()
    own = np.where(IS_ON == 1, whole, 1 - whole)
    for by in ("noise", "blur", "counterfactual"):
        out, back = curves(by=by), curves(by=by, way="inserted")
        for found, image, replaced in ((out, 0, -1), (back, -1, 0)):
            np.testing.assert_allclose(found.said[:, :, image], np.stack([own, own], 1), atol=1e-6)
            np.testing.assert_array_equal(found.said[:, 0, replaced], found.said[:, 1, replaced])
    blurred = JUDGE(torch.from_numpy(gaussian_filter(X, (0, 0, 1, 1)))).double().numpy()
    np.testing.assert_allclose(curves(by="blur").said[:, 0, -1], np.where(IS_ON == 1, blurred, 1 - blurred), atol=1e-6)


def test_what_the_images_are_may_be_said():
    """Every fourth label is wrong, so that accuracy begins at three quarters."""
    labels = np.where(np.arange(COUNT) % 4, IS_ON, 1 - IS_ON)
    found = curves(reference=labels, by="counterfactual")
    assert found.accuracy[:, 0].tolist() == [0.75, 0.75]
    assert found.accuracy[0, -1] == 0.25
    area = trapezoid(found.accuracy, found.shares, axis=1)
    assert found.measured.score("deletion_area").value == pytest.approx(area[0] - area[1])


def test_channels_count_together_and_equal_pixels_go_in_random_order():
    by_channel = np.stack([TRUE / 4, TRUE * 3 / 4], 1)
    np.testing.assert_array_equal(curves(by_channel).said, curves().said)
    flat = curves(np.zeros_like(TRUE), by="counterfactual").measured.score("deletion_area").interval
    assert flat[0] < 0 < flat[1]
    np.testing.assert_array_equal(curves(seed=3).said, curves(seed=3).said)


def test_every_saliency_is_tested_with_every_replacement_both_ways():
    found = list(deletion_tests(EXPLAINED, {"true": TRUE, "channels": np.stack([TRUE, TRUE], 1)}))
    assert len({(name, each.by, each.way) for name, each in found}) == 12
    assert all(each.shares.tolist() == np.linspace(0, 1, STEPS).tolist() for _, each in found)


@pytest.mark.parametrize(
    ("saliency", "how", "said"),
    [
        (TRUE[:3], {}, "saliency should be of the images' shape, (80, 2, 8, 8), got (3, 8, 8)"),
        (np.full_like(TRUE, np.nan), {}, "saliency should be finite, got NaN or infinity"),
        (TRUE, {"num_steps": 1}, "num_steps should be at least 2, got 1"),
        (TRUE, {"reference": np.zeros(3, int)}, "reference should be one number for each of 80 images, got (3,)"),
        (TRUE, {"by": "counterfactual", "method": "geodesic"}, "method should be a known name, got 'geodesic'"),
    ],
)
def test_what_cannot_be_is_refused(saliency, how, said):
    with pytest.raises(InputError) as refused:
        curves(saliency, **how)
    assert said in str(refused.value)


def test_a_number_has_no_classes_to_lose():
    number = replace(EXPLAINED, judge=judge_of(lambda images: images.mean((1, 2, 3)), outputs="number"))
    with pytest.raises(InputError, match="give probabilities of classes for a deletion test, got a number"):
        deletion_curves(number, TRUE)


def test_images_of_one_class_have_areas_and_no_information():
    same = judge_of(lambda images: np.tile([0.9, 0.1], (len(images), 1)))
    alone = deletion_curves(replace(EXPLAINED, judge=same), TRUE).measured
    assert alone.score("deletion_area").value == 0
    assert alone.score("deletion_area", "mutual information").reason == "all images are of one class"
