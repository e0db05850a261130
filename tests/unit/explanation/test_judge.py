"""What a classifier is given: images in the user's intensities, or codes, told by how wide it is or said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression
from torch import nn

from tests.unit.explanation.test_exaggeration import LATENTS, SIDE, TARGETS, Linear, Shifted, logit
from vaelab.data.scaling import Intensity
from vaelab.errors import InputError
from vaelab.explanation import explain
from vaelab.explanation.judge import judge_for

MODEL = Linear()
Z = torch.randn(200, LATENTS, generator=torch.Generator().manual_seed(1))
X = MODEL.decode(Z).mean.detach()
ABOVE = (Z[:, 0] > 0).numpy()


@dataclass
class Opened:
    """As a run: a model with images of its own, stored in other units."""

    model: object
    channels = ("a",)
    intensity = Intensity(lo=(10.0,), hi=(20.0,))

    def images_for(self, images):
        return self.model, X if isinstance(images, str) or images is None else images


def of_codes(**more):
    return LogisticRegression(C=100, **more).fit(Z.numpy(), ABOVE)


def test_an_estimator_is_given_what_it_was_fitted_to():
    """The probability is a logistic function of the code in closed form; the pixels are a linear map of it."""
    codes, pixels = of_codes(), LogisticRegression(C=1e5).fit(X.flatten(1).numpy(), ABOVE)
    for estimator, takes, features in ((codes, "codes", Z), (pixels, "images", X.flatten(1))):
        judge = judge_for(MODEL, estimator)
        assert (judge.takes, judge.has_gradient, judge.is_number) == (takes, False, False)
        expected = estimator.predict_proba(features.numpy())[:, 1]
        np.testing.assert_allclose(judge(X), expected, atol=1e-4)
    found = explain(MODEL, codes, X[:5], targets=TARGETS, methods=["latent_shift"], others=X)
    assert found.judge.takes == "codes"
    weights, bias = codes.coef_[0], codes.intercept_[0]
    logits = found.series["latent_shift"].codes @ weights + bias
    np.testing.assert_allclose(logits, np.broadcast_to(logit(TARGETS), logits.shape), atol=0.05)


def test_a_module_of_codes_has_its_gradient_through_the_encoder():
    class OfCodes(nn.Module):
        def forward(self, z):
            return torch.stack([-z[:, 0], z[:, 0]], 1).mul(0.5).softmax(1)

    found = explain(MODEL, OfCodes(), X[:4], targets=TARGETS, methods=["latent_shift"], others=X, takes="codes")
    assert found.judge.has_gradient
    np.testing.assert_allclose(found.series["latent_shift"].codes[..., 0], np.tile(logit(TARGETS), (4, 1)), atol=0.02)


def test_a_regressor_tells_a_number_and_names_of_columns_are_kept():
    table = pd.DataFrame(Z.numpy(), columns=["z0", "z1", "z2"])
    judge = judge_for(MODEL, LinearRegression().fit(table, 3 * Z[:, 1].numpy() + 1))
    assert judge.is_number
    np.testing.assert_allclose(judge(X), 3 * Z[:, 1] + 1, atol=1e-3)


def test_with_a_run_images_come_in_the_units_of_its_files():
    seen = []

    def bright(images):
        seen.append(images)
        return np.tile([0.4, 0.6], (len(images), 1))

    explain(Opened(MODEL), bright, X[:3], targets=2, methods=["random_direction"])
    assert all(10 <= images.min() <= images.max() <= 20 for images in seen)
    np.testing.assert_allclose(seen[-2][:3], 10 + 10 * X[:3], atol=1e-3)  # f of the images


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: judge_for(MODEL, LogisticRegression().fit(np.eye(7), np.arange(7) % 2)),
         f"be fitted to {SIDE * SIDE} pixels times channels, or to {LATENTS} latents, got 7 features"),
        (lambda: judge_for(Square(), LogisticRegression().fit(np.eye(16), np.arange(16) % 2)),
         "takes should be said of an estimator of 16 features, as many as an image and a code have, got nothing"),
        (lambda: judge_for(Shifted().given(torch.zeros(200, 1)), of_codes()),
         "the classifier should take images where the model has conditions, got one of codes"),
        (lambda: judge_for(MODEL, of_codes(), "images")(X),
         "the classifier should take what it is given, got X has 16"),
        (lambda: explain(MODEL, of_codes(), X[:3], others=X, column=5), "column should be from 0 to 1, got 5"),
    ],
)  # fmt: skip
def test_what_fits_neither_or_both_is_refused(call, said):
    with pytest.raises(InputError) as refused:
        call()
    assert said in str(refused.value)


class Square(Linear):
    """As many latents as pixels."""

    def __init__(self):
        super().__init__()
        self.latent_dim = SIDE * SIDE
