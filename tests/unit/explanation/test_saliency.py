"""Saliency of linear and logistic classifiers in closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests.unit.explanation.test_exaggeration import TARGETS, Linear, Logistic
from vaelab.catalogue import members
from vaelab.errors import InputError
from vaelab.explanation import explain, judge_of
from vaelab.explanation.saliency import Saliency, View, combined, saliency_maps
from vaelab.explanation.saliency.difference import Difference
from vaelab.explanation.saliency.gradient import Gradient
from vaelab.explanation.saliency.gradient_difference import GradientDifference
from vaelab.explanation.saliency.integrated_gradients import IntegratedGradients

NAMES = list(members(Saliency))
SHAPE = (2, 3, 3)


class Probability(nn.Module):
    """p = link(w . x), of two classes."""

    def __init__(self, link=lambda t: t):
        super().__init__()
        self.link = link
        self.weights = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0)) / 40
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        p = self.link(0.5 + (self.dropout(x) * self.weights).sum((1, 2, 3)))
        return torch.stack([1 - p, p], 1)


def view_of(link=lambda t: t, count=5):
    random = torch.Generator().manual_seed(1)
    x = torch.rand(count, *SHAPE, generator=random)
    steps = torch.rand(count, 4, *SHAPE, generator=random)
    return View(judge=judge_of(Probability(link)), x=x, steps=steps)


def test_of_a_linear_classifier_the_gradient_is_its_weights_in_evaluation_mode():
    view = view_of()
    weights = Probability().weights
    torch.testing.assert_close(Gradient()(view), weights.abs().expand_as(view.x))
    torch.testing.assert_close(Difference()(view), (view.steps[:, -1] - view.steps[:, 0]).abs())
    expected = weights * (view.steps[:, -1] - view.steps[:, 0])
    for saliency in (GradientDifference(), IntegratedGradients(num_points=1)):
        torch.testing.assert_close(saliency.attributions(view), expected)
        torch.testing.assert_close(saliency(view), expected.abs())


@pytest.mark.parametrize("link", [lambda t: t, torch.sigmoid, lambda t: torch.sigmoid(8 * t - 4)])
def test_integrated_gradients_add_up_to_the_difference_of_f(link):
    view = view_of(link)
    expected = view.judge(view.steps[:, -1]) - view.judge(view.steps[:, 0])
    found = IntegratedGradients(num_points=16).attributions(view).sum((1, 2, 3))
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=0)


def test_integrated_gradients_of_a_square_are_its_integral():
    """f = t^2: along a straight piece from a to b, each pixel has w_i (b_i - a_i) (t_a + t_b)."""
    view = view_of(lambda t: t.square())
    weights = Probability().weights
    heights = 0.5 + (view.steps * weights).sum((2, 3, 4))
    pieces = (view.steps[:, 1:] - view.steps[:, :-1]) * weights
    expected = (pieces * (heights[:, 1:] + heights[:, :-1])[..., None, None, None]).sum(1)
    torch.testing.assert_close(IntegratedGradients(num_points=1).attributions(view), expected)


def test_maps_of_explained_images_and_of_all_channels_together():
    model = Linear()
    z = torch.randn(30, 3, generator=torch.Generator().manual_seed(1))
    x = model.decode(z).mean.detach()
    classifier = Logistic(model)
    explained = explain(model, classifier, x[:6], targets=TARGETS[::-1], methods=["latent_shift"], others=x)
    maps = saliency_maps(explained)
    assert list(maps) == NAMES
    images = explained.series["latent_shift"].images
    np.testing.assert_array_equal(maps["difference"], np.abs(images[:, 0] - images[:, -1]))  # targets fall
    np.testing.assert_allclose(combined(maps["gradient"]).sum((1, 2)), maps["gradient"].sum((1, 2, 3)))
    slope = np.abs(classifier.axis.numpy()) * (explained.said * (1 - explained.said))[:, None]
    np.testing.assert_allclose(maps["gradient"].reshape(6, -1), slope, rtol=1e-4)
    found = saliency_maps(explained, "latent-shift", [IntegratedGradients()])
    np.testing.assert_array_equal(maps["integrated_gradients"], found["integrated_gradients"])
    assert maps["integrated_gradients"].sum((1, 2, 3)).min() >= 0.8 - 0.01  # f goes from 0.1 to 0.9


def test_without_a_gradient_only_the_difference_is_there_and_the_others_are_refused():
    module = Probability()
    judge = judge_of(lambda images: module(torch.from_numpy(images)).numpy())
    view = View(judge=judge, x=view_of().x, steps=view_of().steps)
    assert (Difference()(view) >= 0).all()
    for name in set(NAMES) - {"difference"}:
        assert members(Saliency)[name].needs_gradient
        with pytest.raises(InputError, match="should have a gradient for this saliency, got one without"):
            members(Saliency)[name]()(view)


@pytest.mark.parametrize("break_it", [torch.Tensor.detach, lambda x: (x > 0.5).float()])
def test_a_module_through_which_no_gradient_flows_is_refused(break_it):
    class Broken(Probability):
        def forward(self, x):
            return super().forward(break_it(x))

    for trained in (False, True):
        broken = Broken()
        broken.weights = nn.Parameter(broken.weights) if trained else broken.weights
        view = View(judge=judge_of(broken), x=view_of().x, steps=view_of().steps)
        with pytest.raises(InputError, match="have a gradient for this saliency"):
            Gradient()(view)


@pytest.mark.parametrize("name", NAMES)
def test_every_saliency_is_one_number_a_pixel_and_0_or_more(name):
    view = view_of(torch.sigmoid)
    found = members(Saliency)[name]()(view)
    assert found.shape == view.x.shape
    assert (found >= 0).all()
    assert torch.equal(found, members(Saliency)[name]()(view))


def test_names_that_are_not_known_are_refused():
    model = Linear()
    x = torch.full((3, 1, 4, 4), 0.5)
    explained = explain(model, Logistic(model), x, targets=2, methods=["random_direction"])
    with pytest.raises(InputError, match="method should be a known name, got 'latent_shift'"):
        saliency_maps(explained)
    with pytest.raises(InputError, match="saliency should be a known name, got 'magic'"):
        saliency_maps(explained, "random_direction", ["magic"])
