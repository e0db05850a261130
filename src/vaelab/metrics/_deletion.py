"""What is left of a classifier's answers as pixels are replaced: curves, the areas below them, and what they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.special import entr

from vaelab.errors import InputError
from vaelab.metrics._resample import mean_score, resampled_means
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._series import NOT_FINITE, check_images

_UNIT = "area below the curve"


def area_scores(
    classes: np.ndarray, said: np.ndarray, reference: np.ndarray | None, whole: Literal[0, -1] = 0
) -> Iterator[Score]:
    """The area below the curve by saliency less that at random: of accuracy, of the probability, of information.

    Args:
        classes: (image, 2, step), by saliency and at random.
        said: (image, 2, step), the probability of the class of the whole image.
        reference: (image,) what each image is, numbers from 0; None, where the classifier puts the whole image.
        whole: The step at which the whole image stands.

    Raises:
        InputError: There is not a row for each image, or there are not two steps.
    """
    reference = classes[:, 0, whole] if reference is None else reference
    check_images(len(classes), said=said, reference_classes=reference)
    if classes.shape != said.shape or classes.shape[2] < 2:
        raise InputError("said", f"be of 2 steps or more, {classes.shape[2]} as the classes", said.shape[2])
    if not len(classes):
        yield no_score("there is no image", _UNIT, 0)
        return
    kept = (classes == reference[:, None, None]).astype(np.float64)
    for part, curves in {"": kept, "probability": said.astype(np.float64)}.items():
        difference = area(curves[:, 0]) - area(curves[:, 1])
        if np.isfinite(difference).all():
            yield mean_score(difference, _UNIT, part=part, null=0.0)
        else:
            yield replace(no_score(NOT_FINITE, _UNIT, len(said)), part=part, null=0.0)
    yield replace(_of_information(classes, reference), part="mutual information", null=0.0)


def area(curves: np.ndarray) -> np.ndarray:
    """(...,): below curves (..., step) whose steps are equally far apart from 0 to 1, by trapezoids.

    >>> area(np.array([[1.0, 0.5, 0.0]])).tolist()
    [0.5]
    """
    return (curves[..., 1:] + curves[..., :-1]).mean(-1) / 2


def information_curves(classes: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(order, step): the mutual information of where the classifier puts images and of what they are, in nats.

    By the table of the images at hand: too high by about (k - 1) (l - 1) / 2N for k and l classes.

    Args:
        classes: (image, order, step), numbers from 0.
        reference: (image,), numbers from 0.

    >>> two = np.array([0, 1, 0, 1])
    >>> information_curves(np.stack([two, two * 0], 1)[:, None], two).round(3).tolist()  # ln 2, and nothing
    [[0.693, 0.0]]
    """
    return _curves(classes, reference, lambda cells: cells.mean(0, keepdims=True))[0]


def _of_information(classes: np.ndarray, reference: np.ndarray) -> Score:
    """As a share of what there is to be known, the entropy of what images are; over resamples its interval."""
    if len(np.unique(reference)) < 2:
        return no_score("all images are of one class", _UNIT, len(reference))

    def differences(means: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        itself = _curves(reference[:, None, None], reference, means)[:, 0, 0]
        own, random = np.moveaxis(area(_curves(classes, reference, means)), 1, 0)
        return np.divide(own - random, itself, out=np.zeros(len(own)), where=itself > 0)

    value = float(differences(lambda cells: cells.mean(0, keepdims=True))[0])
    low, high = np.quantile(differences(resampled_means), [0.025, 0.975])
    return Score(value=value, unit=_UNIT, count=len(reference), interval=(float(low), float(high)))


def _curves(classes: np.ndarray, reference: np.ndarray, means: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """(draw, order, step) nats; means: from (image, cell) to the share of images in each cell, (draw, cell)."""
    found = [[_information(column, reference, means) for column in order.T] for order in np.moveaxis(classes, 1, 0)]
    return np.moveaxis(np.array(found), 2, 0)


def _information(column: np.ndarray, reference: np.ndarray, means: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """(draw,) nats, of the cells of the table that hold an image."""
    pairs, cell = np.unique(np.stack([column, reference], 1), axis=0, return_inverse=True)
    joint = means(np.eye(len(pairs))[cell.ravel()]).clip(0)
    sides = (np.eye(1 + side.max())[side] for side in pairs.T)
    return sum(entr(joint @ side).sum(1) for side in sides) - entr(joint).sum(1)
