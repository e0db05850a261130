"""What a classifier says of images, wherever it comes from: one number for each image."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from vaelab.data.scaling import Intensity
from vaelab.errors import InputError, one_line
from vaelab.evaluation import Predictor
from vaelab.inference import Trained
from vaelab.inference.batches import model_of
from vaelab.models import Model, device_of, in_evaluation_mode
from vaelab.shapes import Images, PerImage

Outputs = Literal["probabilities", "logits", "number"]
Takes = Literal["images", "codes"]
_ROUNDING, _LEAST = 1e-3, 1e-30


@dataclass(frozen=True, eq=False, kw_only=True)
class Judge:
    """f: from images in [0, 1] to a number for each, the probability of one class or a predicted number."""

    name: str
    """Of the class, or of the number."""
    has_gradient: bool
    """Whether gradients flow through it to the images."""
    is_number: bool
    """Whether it predicts a number; else its values are probabilities."""
    takes: Takes
    """What the classifier is given: images in their own intensities, or their codes by the model."""
    _call: Callable[[Images], Tensor]
    """(image, class), checked probabilities, or (image, 1)."""
    _column: int

    def __call__(self, x: Images) -> PerImage:
        return self._call(x)[:, self._column]

    def log_odds(self, x: Images) -> PerImage:
        """log f - log(1 - f), 1 - f as what all other classes have, so that there is a slope where f rounds to 1."""
        values = self._call(x).double()
        others = torch.arange(values.shape[1], device=values.device) != self._column % values.shape[1]
        own, rest = values[:, self._column], values[:, others].sum(1)
        return (own.clamp(min=_LEAST).log() - rest.clamp(min=_LEAST).log()).to(x.dtype)

    def classes(self, x: Images) -> Tensor:
        """(image, class): the probability of every class; of a number the number alone."""
        return self._call(x)


def judge_of(
    classifier: Any,
    column: int | None = None,
    *,
    intensity: Intensity | None = None,
    encode: Callable[[Images], Tensor] | None = None,
    outputs: Outputs | None = None,
    name: str = "",
) -> Judge:
    """A classifier of somebody's own as a function of images in [0, 1].

    Args:
        classifier: A torch module, from images (image, channel, height, width) to (image, class), which is asked in
            evaluation mode; a fitted estimator of scikit-learn, from images flattened to (image, channel * height *
            width); any function of a numpy array of images; or what `vaelab.load_classifier` reads. They are given
            images in their own intensities.
        column: The class that is explained, from 0; left out, the second of two, the last column. Of a number: none.
        intensity: How images become numbers in [0, 1], which is undone for the classifier; None: not at all.
        encode: From images in [0, 1] to codes (image, latent), which the classifier is given in the images' place.
        outputs: What it gives: probabilities (rows sum to 1), logits (a softmax is taken), or a number for each image;
            left out, a number by a regressor of scikit-learn and by a saved classifier of a number, else probabilities.
        name: Of the class or number.

    Raises:
        InputError: It is nothing of these. When it is called: what it gives isn't such as was said.

    >>> judge = judge_of(lambda x: np.stack([1 - x.mean((1, 2, 3)), x.mean((1, 2, 3))], 1))
    >>> judge(torch.full((2, 1, 4, 4), 0.25)).tolist(), judge.has_gradient
    ([0.25, 0.25], False)
    """
    given = encode or (intensity.invert if intensity else lambda x: x)
    if isinstance(classifier, Predictor) and not encode:
        given = _in_units_of(classifier, intensity)
    outputs = outputs or ("number" if _tells_a_number(classifier) else "probabilities")
    is_number, raw = outputs == "number", _raw(classifier, outputs == "number")

    def call(x: Images) -> Tensor:
        return _checked(raw(given(x)), len(x), outputs, column).to(x.device)

    return Judge(
        name=name or ("the number" if is_number else f"class {'1' if column is None else column}"),
        has_gradient=isinstance(classifier, nn.Module),
        is_number=is_number,
        takes="codes" if encode else "images",
        _call=call,
        _column=0 if is_number else -1 if column is None else column,
    )


def judge_for(
    model: Model | Trained,
    classifier: Any,
    takes: Takes | None = None,
    column: int | None = None,
    outputs: Outputs | None = None,
) -> Judge:
    """A classifier that is asked about what a model draws.

    Of a run, images are given to it in the intensities in which the run's are stored; of a model alone, in [0, 1]. What
    an estimator of scikit-learn takes is told by how many features it was fitted to: those of an image, or those of a
    code; where it could be either, it has to be said. Everything else takes images, unless codes are said.

    Args:
        model: The model, or a run.
        classifier: As `judge_of` takes it; or what that gives, to which nothing else may be said.
        takes: images or codes, the means of the posteriors that the model gives an image, as in `embed`; left out, as
            above.
        column: As of `judge_of`; likewise outputs.

    Raises:
        InputError: It is not such, it fits neither images nor codes or both, or the model has conditions and codes are
            wanted.
    """
    if isinstance(classifier, Judge):
        return classifier
    vae = model_of(model)
    if (takes or _told_by_width(classifier, vae)) == "images":
        return judge_of(classifier, column, intensity=getattr(model, "intensity", None), outputs=outputs)
    if vae.num_conditions:
        raise InputError("the classifier", "take images where the model has conditions", "one of codes")
    return judge_of(classifier, column, encode=lambda x: vae.encode(x.to(device_of(vae))).mean, outputs=outputs)


def _told_by_width(classifier: Any, model: Model) -> Takes:
    """Whether an estimator was fitted to images or to codes; images, where it does not say."""
    width, latents = getattr(classifier, "n_features_in_", None), model.latent_dim
    pixels = math.prod(model.image_shape)
    if width is None or (width == pixels != latents):
        return "images"
    if width == pixels:
        should = f"be said of an estimator of {width} features, as many as an image and a code have"
        raise InputError("takes", should, "nothing", "Say takes='images' or takes='codes'.")
    if width != latents:
        should = f"be fitted to {pixels} pixels times channels, or to {latents} latents"
        raise InputError("the classifier", should, f"{width} features")
    return "codes"


def _in_units_of(predictor: Predictor, intensity: Intensity | None) -> Callable[[Images], Tensor]:
    """From images in [0, 1] to those that a saved classifier takes, which may have learnt from another scaling."""
    own = predictor.facts.intensity
    return (lambda x: x) if intensity in (None, own) else lambda x: own.apply(intensity.invert(x))


def _tells_a_number(classifier: Any) -> bool:
    if isinstance(classifier, Predictor):
        return not classifier.facts.classes
    if not hasattr(classifier, "__sklearn_tags__"):
        return False
    from sklearn.base import is_regressor

    return is_regressor(classifier)


def _raw(classifier: Any, is_number: bool) -> Callable[[Tensor], Any]:
    """From what it is given, as a tensor, to whatever it gives."""
    if isinstance(classifier, nn.Module):

        def ask(x: Tensor) -> Any:
            with in_evaluation_mode(classifier):
                return classifier(x.to(device_of(classifier)))

        return ask
    if hasattr(classifier, "predict_proba") or (is_number and hasattr(classifier, "predict")):
        predict = classifier.predict if is_number else classifier.predict_proba
        names = getattr(classifier, "feature_names_in_", None)

        def estimate(x: Tensor) -> Any:
            rows = x.flatten(1).numpy(force=True)
            try:
                return predict(rows if names is None else pd.DataFrame(rows, columns=names))
            except ValueError as error:
                raise InputError("the classifier", "take what it is given", one_line(error)) from None

        return estimate
    if hasattr(classifier, "predict"):
        mend = "Take one with predict_proba, such as SVC(probability=True); or say outputs='number'."
        raise InputError("the classifier", "give probabilities", f"{type(classifier).__name__} without", mend)
    if callable(classifier):
        return lambda x: classifier(x.numpy(force=True))
    should = "be a torch module, an estimator of scikit-learn or a function of images"
    raise InputError("the classifier", should, type(classifier).__name__)


def _checked(found: Any, num_images: int, outputs: Outputs, column: int | None) -> Tensor:
    """(image, class) probabilities, or (image, 1), as float32 or float64."""
    try:
        values = found if isinstance(found, Tensor) else torch.from_numpy(np.asarray(found, np.float64))
    except (TypeError, ValueError):
        raise InputError("what the classifier gives", "be an array of numbers", type(found).__name__) from None
    if not values.is_floating_point():
        values = values.double()
    if len(values.shape) == 1 and outputs == "number":
        values = values[:, None]
    shape = tuple(values.shape)
    if outputs == "number":
        if shape != (num_images, 1):
            raise InputError("what the classifier gives", f"be one number for each of {num_images} images", shape)
    elif len(shape) != 2 or shape[0] != num_images or shape[1] < 2:
        mend = "Give a column for each class, of two classes two; or say outputs='number' for a predicted number."
        raise InputError("what the classifier gives", f"be {num_images} rows with a column per class", shape, mend)
    if not torch.isfinite(values).all():
        raise InputError("what the classifier gives", "be finite", "NaN or infinity", "Does it need other intensities?")
    if outputs == "logits":
        values = values.softmax(1)
    elif outputs == "probabilities":
        fixed = values.detach()
        low, high, sums = (float(v) for v in (fixed.min(), fixed.max(), (fixed.sum(1) - 1).abs().max()))
        if low < -_ROUNDING or high > 1 + _ROUNDING or sums > _ROUNDING:
            got = f"numbers from {low:.3g} to {high:.3g}, rows that sum to up to {1 + sums:.3g}"
            raise InputError("what the classifier gives", "be probabilities", got, "Say outputs='logits' for logits.")
    if column is not None and outputs != "number" and not 0 <= column < shape[1]:
        raise InputError("column", f"be from 0 to {shape[1] - 1}", column)
    return values
