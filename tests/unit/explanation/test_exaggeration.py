"""Series of images of which a classifier says what was wanted; models and classifiers in closed form."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal

from vaelab.catalogue import members
from vaelab.errors import InputError
from vaelab.explanation import explain, judge_of
from vaelab.explanation.exaggeration import Exaggeration, latent_optimization
from vaelab.explanation.exaggeration.conditional import Conditional
from vaelab.explanation.exaggeration.geodesic import Geodesic
from vaelab.explanation.exaggeration.latent_optimization import LatentOptimization
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.models import Model

SIDE, LATENTS, SCALE = 4, 3, 0.04
TARGETS = (0.1, 0.3, 0.5, 0.7, 0.9)


class Linear(Model):
    """Pixels are a linear map of the latents, far from 0 and 1; the code of an image is known exactly."""

    def __init__(self):
        super().__init__()
        self.image_shape, self.latent_dim, self.likelihood = (1, SIDE, SIDE), LATENTS, GaussianLikelihood()
        axes = torch.linalg.qr(torch.randn(SIDE * SIDE, LATENTS, generator=torch.Generator().manual_seed(0)))[0]
        self.axes = nn.Parameter(SCALE * axes)

    @property
    def prior(self):
        return Independent(Normal(torch.zeros(LATENTS), torch.ones(LATENTS)), 1)

    def encode(self, x):
        loc = (x.flatten(1) - 0.5) @ self.axes / SCALE**2
        return Independent(Normal(loc, torch.full_like(loc, 0.1)), 1)

    def decode(self, z):
        return Independent(Normal((0.5 + z @ self.axes.T).view(-1, *self.image_shape), 0.1), 3)


class Shifted(Linear):
    """The first latent is shifted by the condition."""

    num_conditions = 1

    def decode(self, z):
        return super().decode(z + self.conditions_of(len(z)) * torch.tensor([1.0, 0, 0]))


class Logistic(nn.Module):
    """The probability is a logistic function of the first latent alone, seen through the pixels."""

    def __init__(self, model, power=1):
        super().__init__()
        self.axis, self.power = model.axes.detach()[:, 0] / SCALE**2, power

    def forward(self, x):
        logit = ((x.flatten(1) - 0.5) @ self.axis) ** self.power
        return torch.stack([-logit, logit], 1).mul(0.5).softmax(1)


@pytest.fixture
def model():
    return Linear()


@pytest.fixture
def x(model):
    z = torch.randn(200, LATENTS, generator=torch.Generator().manual_seed(1))
    return model.decode(z).mean.detach()


def logit(p):
    return np.log(np.asarray(p) / (1 - np.asarray(p)))


@pytest.mark.parametrize("method", ["latent_shift", "linear_direction", "geodesic", "latent_optimization"])
def test_every_target_is_reached_with_the_first_latent_alone(model, x, method):
    """A linear decoder and a logistic classifier: the nearest code with f = target differs in the first latent."""
    how = LatentOptimization(proximity=1e-4, prior=0, num_steps=300) if method == "latent_optimization" else method
    found = explain(model, Logistic(model), x[:5], targets=TARGETS, methods=[how], others=x)
    series = found.series[method]
    np.testing.assert_allclose(series.said, np.broadcast_to(TARGETS, (5, 5)), atol=0.01)
    expected = np.repeat(found.codes[:, None], 5, axis=1)
    expected[..., 0] = logit(TARGETS)
    np.testing.assert_allclose(series.codes, expected, atol=0.15)
    drawn = model.decode(torch.from_numpy(series.codes).flatten(0, 1)).mean.detach().view(series.images.shape)
    np.testing.assert_allclose(series.images, drawn, atol=1e-6)
    np.testing.assert_allclose(found.said, 1 / (1 + np.exp(-found.codes[:, 0])), atol=1e-5)


def test_where_the_classifier_is_too_sure_for_its_numbers_the_targets_are_reached(model, x):
    """Thirty times as steep, it says 1 of many images: there 1 - f is nothing, what the other class has is not."""
    judge = Logistic(model)
    judge.axis = 30 * judge.axis
    sure = x[judge(x)[:, 1] == 1][:4]
    assert len(sure) == 4
    how = LatentOptimization(proximity=1e-4, prior=0, num_steps=300)
    found = explain(model, judge, sure, targets=TARGETS, methods=[how, "latent_shift"], others=x)
    for series in found.series.values():
        np.testing.assert_allclose(series.said, np.broadcast_to(TARGETS, (4, 5)), atol=0.05)
    of = judge_of(judge, 1)
    codes = (sure.flatten(1) - 0.5) @ judge.axis
    np.testing.assert_allclose(of.log_odds(sure), codes, rtol=1e-4)


def test_a_classifier_without_a_gradient_gives_the_same_series(model, x):
    module = Logistic(model)
    ways = [judge_of(module), judge_of(lambda images: module(torch.from_numpy(images)).numpy())]
    assert [judge.has_gradient for judge in ways] == [True, False]
    one, other = (explain(model, judge, x[:4], methods=["latent_shift"], others=x) for judge in ways)
    np.testing.assert_allclose(one.series["latent_shift"].codes, other.series["latent_shift"].codes, atol=1e-3)


def test_a_latent_that_is_hardly_used_does_not_shorten_the_line(model):
    """Codes lie within 0.001 on the third latent, of which the classifier makes as much as of the first."""
    z = torch.randn(200, LATENTS, generator=torch.Generator().manual_seed(1)) * torch.tensor([1.0, 1.0, 1e-3])
    judge = Logistic(model)
    judge.axis = (model.axes[:, 0] + model.axes[:, 2]).detach() / SCALE**2
    found = explain(model, judge, model.decode(z).mean.detach(), targets=TARGETS, methods=["latent_shift"])
    np.testing.assert_allclose(found.series["latent_shift"].said, np.broadcast_to(TARGETS, (200, 5)), atol=0.01)


def test_a_random_direction_reaches_less(model, x):
    found = explain(model, Logistic(model), x[:50], methods=["latent_shift", "random_direction"], others=x)
    miss = {name: np.abs(series.said - found.targets).mean() for name, series in found.series.items()}
    moved = {name: np.linalg.norm(series.codes - found.codes[:, None], axis=2) for name, series in found.series.items()}
    assert miss["latent_shift"] < 0.01
    assert miss["random_direction"] >= miss["latent_shift"]
    assert moved["random_direction"].mean() > 1.5 * moved["latent_shift"].mean()


def test_of_several_places_with_the_target_the_nearest_is_taken(model, x):
    """A classifier of the square of the first latent has each target at two places."""
    found = explain(model, Logistic(model, power=2), x[:20], targets=[0.75, 0.9], methods=["latent_shift"], others=x)
    first = found.series["latent_shift"].codes[..., 0]
    places = np.sqrt(logit([0.75, 0.9]))
    expected = np.sign(found.codes[:, :1]) * places
    np.testing.assert_allclose(first, expected, atol=0.02)


def test_out_of_reach_comes_as_near_as_it_can(model, x):
    """The square is never below 0, so f is never below a half."""
    found = explain(model, Logistic(model, power=2), x[:20], targets=[0.1], methods=["latent_shift"], others=x)
    assert np.abs(found.series["latent_shift"].said - 0.5).max() < 0.1


def test_a_geodesic_of_a_linear_decoder_is_the_straight_line(model, x):
    found = explain(model, Logistic(model), x[:3], methods=["latent_shift", Geodesic(num_steps=5)], others=x)
    np.testing.assert_allclose(found.series["geodesic"].codes, found.series["latent_shift"].codes, atol=0.05)


def test_several_solutions_reach_the_targets_by_different_changes(model, x):
    """Of three latents two are free; without the term for it, all solutions end at the same codes."""
    far = {}
    for diversity in (0.0, 1.0):
        how = LatentOptimization(num_steps=150, num_solutions=3, diversity=diversity, prior=0, proximity=0.02)
        found = explain(model, Logistic(model), x[:6], targets=TARGETS, methods=[how], others=x)
        assert list(found.series) == [f"latent_optimization{end}" for end in ("", "_2", "_3")]
        codes = np.stack([series.codes for series in found.series.values()])
        assert all(np.abs(series.said - found.targets).max() < 0.1 for series in found.series.values())
        assert {series.method for series in found.series.values()} == {"latent_optimization"}
        far[diversity] = min(np.linalg.norm(codes[i] - codes[j], axis=-1).mean() for i, j in ((0, 1), (0, 2), (1, 2)))
    assert far[0.0] < 0.1 < 1 < far[1.0]


@pytest.mark.parametrize("is_conditional", [False, True])
def test_images_a_few_at_a_time_take_the_same_steps(model, x, monkeypatch, is_conditional):
    model = Shifted().given(torch.linspace(-1, 1, 6)[:, None]) if is_conditional else model
    how = LatentOptimization(num_steps=20, num_solutions=2)

    def codes():
        found = explain(model, Logistic(model), x[:6], targets=TARGETS, methods=[how])
        return [series.codes for series in found.series.values()]

    whole = codes()
    monkeypatch.setattr(latent_optimization, "images_at_once", lambda shape: 10)
    for together, apart in zip(whole, codes(), strict=True):
        np.testing.assert_allclose(apart, together, atol=1e-4)


def test_a_shift_is_learnt_where_the_classifier_says_nearly_nothing(model, x):
    """Of almost all images it says less than 0.01, and its probability there has hardly a slope."""

    class Rare(Logistic):
        def forward(self, x):
            logit = (x.flatten(1) - 0.5) @ self.axis - 8
            return torch.stack([-logit, logit], 1).mul(0.5).softmax(1)

    found = explain(model, Rare(model), x[:6], targets=(0.1, 0.9), methods=[Conditional(num_steps=150)], others=x)
    said = found.series["conditional"].said
    assert (said[:, 1] > 0.5).all()


def test_the_way_back_of_a_learnt_shift_needs_no_second_one(model, x, monkeypatch):
    from vaelab.explanation import judge_series

    how = Conditional(num_steps=5)
    found = explain(model, Logistic(model), x[:4], targets=3, methods=[how], others=x)
    monkeypatch.setattr(Conditional, "_learnt", None)
    assert judge_series(model, found, others=x)["conditional"].score("series_way_back").count == 4


def test_a_condition_is_taken_as_far_as_the_target_is_and_beyond_the_class(x):
    """The logit is that of the code plus the condition: at the class itself where lambda is 1."""
    model, targets = Shifted().given(torch.zeros(6, 1)), [0.3, 0.9]
    judge, toward = Logistic(model), torch.ones(1, 1)
    found = explain(model, judge, x[:6], targets=targets, methods=["class_exaggeration"], toward=toward)
    series = found.series["class_exaggeration"]
    far = logit(targets) - found.codes[:, :1]
    reachable = np.abs(far) < 3
    np.testing.assert_allclose(series.said[reachable], np.broadcast_to(targets, far.shape)[reachable], atol=0.01)
    assert (np.abs(far) > 1).any(), "beyond the class"
    np.testing.assert_array_equal(series.codes, np.repeat(found.codes[:, None], 2, axis=1))


def test_the_learnt_shift_goes_where_the_classifier_says_what_was_wanted_and_leaves_the_model_as_it_is(model, x):
    before = copy.deepcopy(model.state_dict())
    start, learnt = Conditional(num_steps=1, learning_rate=1e-4), Conditional(num_steps=400, cycle=0.1)
    first, last = (explain(model, Logistic(model), x[:20], methods=[how], others=x) for how in (start, learnt))
    miss = [np.abs(found.series["conditional"].said - found.targets).mean() for found in (first, last)]
    assert miss[1] < 0.06 < 0.2 < miss[0]
    np.testing.assert_allclose(first.series["conditional"].codes, np.repeat(first.codes[:, None], 10, 1), atol=0.01)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_image_does_not_move_to_what_the_classifier_says_already_and_comes_back_from_elsewhere(model, x):
    """Along the one direction that f looks at, the way there and the way back are as long."""
    judge, how = Logistic(model), Conditional(num_steps=300)
    found = explain(model, judge, x[:1], targets=3, methods=[how], others=x)
    said = float(found.said_of_reconstructions[0])
    again = explain(model, judge, x[:1], targets=[said, 0.9], methods=[how], others=x)
    series = again.series["conditional"]
    np.testing.assert_allclose(series.codes[0, 0], again.codes[0], atol=1e-4)
    assert series.said[0, 1] == pytest.approx(0.9, abs=0.1)
    back = explain(model, judge, torch.from_numpy(series.images[0, 1:]), targets=[said, 0.5], methods=[how], others=x)
    np.testing.assert_allclose(back.series["conditional"].codes[0, 0], again.codes[0], atol=0.5)


def test_without_conditions_there_is_no_class_to_exaggerate(model, x):
    with pytest.raises(InputError, match="the model should have conditions for class-exaggeration, got none"):
        explain(model, Logistic(model), x[:3], methods=["class-exaggeration"])


@pytest.mark.parametrize("name", [name for name in members(Exaggeration) if name != "class_exaggeration"])
def test_every_method_gives_a_series_for_a_trained_kind_of_model(name, model, x):
    found = explain(model, Logistic(model), x[:2], targets=3, methods=[name], others=x[:50]).series[name]
    assert found.images.shape == (2, 3, 1, SIDE, SIDE)
    assert np.isfinite(found.codes).all()
    assert found.seconds > 0


@pytest.mark.parametrize(
    ("classifier", "said"),
    [
        (
            lambda x: np.full((len(x), 2), 3.0),
            "should be probabilities, got numbers from 3 to 3",
        ),
        (
            lambda x: np.full((len(x), 1), 0.5),
            "with a column per class, got (200, 1). Give a column for each class",
        ),
        (lambda x: np.full((len(x), 2), np.nan), "should be finite, got NaN or infinity"),
        (lambda x: np.full((3, 2), 0.5), "should be 200 rows with a column per class, got (3, 2)"),
        (lambda x: "yes", "what the classifier gives should be an array of numbers, got"),
        (7, "should be a torch module, an estimator of scikit-learn or a function of images, got int"),
    ],
)
def test_what_a_classifier_gives_wrongly_is_said_in_a_sentence(model, x, classifier, said):
    with pytest.raises(InputError) as refused:
        explain(model, classifier, x)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"targets": 1}, "targets should be at least 2, got 1"),
        ({"targets": [0.5, 1.5]}, "targets should be probabilities between 0 and 1"),
        ({"methods": ["latent-shift", "magic"]}, "method should be a known name, got 'magic'"),
    ],
)
def test_what_cannot_be_is_refused(model, x, more, said):
    with pytest.raises(InputError) as refused:
        explain(model, Logistic(model), x[:3], **more)
    assert said in str(refused.value)


def test_logits_a_column_and_intensities_are_as_the_user_says(x):
    from vaelab.data.scaling import Intensity

    scale = Intensity(lo=(10.0,), hi=(20.0,))
    judge = judge_of(lambda images: np.stack([images.mean((1, 2, 3))] * 3, 1), 1, intensity=scale, outputs="logits")
    torch.testing.assert_close(judge(x), torch.full((200,), 1 / 3, dtype=judge(x).dtype))
    number = judge_of(lambda images: images.mean((1, 2, 3)), outputs="number", intensity=scale)
    np.testing.assert_allclose(number(x), 10 + 10 * x.mean((1, 2, 3)), rtol=1e-5)
    assert number.is_number
