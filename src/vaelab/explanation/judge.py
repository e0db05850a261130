"""What a classifier says of images, wherever it comes from: one number for each image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from vaelab.data.scaling import Intensity
from vaelab.errors import InputError
from vaelab.models import device_of, in_evaluation_mode
from vaelab.shapes import Images, PerImage

Outputs = Literal["probabilities", "logits", "number"]
_ROUNDING = 1e-3


@dataclass(frozen=True, eq=False, kw_only=True)
class Judge:
    """f: from images in [0, 1] to a number for each, the probability of one class or a predicted number."""

    name: str
    """Of the class, or of the number."""
    has_gradient: bool
    """Whether gradients flow through it to the images."""
    is_number: bool
    """Whether it predicts a number; else its values are probabilities."""
    _call: Callable[[Images], Tensor]
    """(image, class), checked probabilities, or (image, 1)."""
    _column: int

    def __call__(self, x: Images) -> PerImage:
        return self._call(x)[:, self._column]

    def classes(self, x: Images) -> Tensor:
        """(image, class): the probability of every class; of a number the number alone."""
        return self._call(x)


def judge_of(
    classifier: Any,
    column: int | None = None,
    *,
    intensity: Intensity | None = None,
    outputs: Outputs = "probabilities",
    name: str = "",
) -> Judge:
    """A classifier of somebody's own as a function of images in [0, 1].

    Args:
        classifier: A torch module, from images (image, channel, height, width) to (image, class), which is asked in
            evaluation mode; a fitted estimator of scikit-learn, from images flattened to (image, channel * height *
            width); or any function of a numpy array of images. They are given images in their own intensities.
        column: The class that is explained, from 0; left out, the second of two, the last column. Of a number: none.
        intensity: How images become numbers in [0, 1], which is undone for the classifier; None: not at all.
        outputs: What it gives: probabilities (rows sum to 1), logits (a softmax is taken), or a number for each image.
        name: Of the class or number.

    Raises:
        InputError: It is nothing of these. When it is called: what it gives isn't such as was said.

    >>> judge = judge_of(lambda x: np.stack([1 - x.mean((1, 2, 3)), x.mean((1, 2, 3))], 1))
    >>> judge(torch.full((2, 1, 4, 4), 0.25)).tolist(), judge.has_gradient
    ([0.25, 0.25], False)
    """
    native = (lambda x: x) if intensity is None else intensity.invert
    is_number = outputs == "number"
    if isinstance(classifier, nn.Module):

        def raw(x: Images) -> Any:
            with in_evaluation_mode(classifier):
                return classifier(native(x).to(device_of(classifier)))

    elif hasattr(classifier, "predict_proba") or (is_number and hasattr(classifier, "predict")):
        predict = classifier.predict if is_number else classifier.predict_proba
        raw = lambda x: predict(native(x).flatten(1).numpy(force=True))  # noqa: E731
    elif hasattr(classifier, "predict"):
        mend = "Take one with predict_proba, such as SVC(probability=True); or say outputs='number'."
        raise InputError("the classifier", "give probabilities", f"{type(classifier).__name__} without", mend)
    elif callable(classifier):
        raw = lambda x: classifier(native(x).numpy(force=True))  # noqa: E731
    else:
        should = "be a torch module, an estimator of scikit-learn or a function of images"
        raise InputError("the classifier", should, type(classifier).__name__)

    def call(x: Images) -> Tensor:
        return _checked(raw(x), len(x), outputs, column).to(x.device)

    return Judge(
        name=name or ("the number" if is_number else f"class {'1' if column is None else column}"),
        has_gradient=isinstance(classifier, nn.Module),
        is_number=is_number,
        _call=call,
        _column=0 if is_number else -1 if column is None else column,
    )


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
