"""How good a classifier is."""

from __future__ import annotations

import numpy as np

from vaelab.errors import InputError
from vaelab.metrics._kinds import mean_of_units
from vaelab.metrics._metric import metric
from vaelab.metrics._numbers import units_of
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import Classes, Groups


@metric(
    "Accuracy of the classifier",
    group="features",
    order=80,
    better="neither",
    source="the share of images; the null is the commonest class",
)
def classifier_accuracy(image_classes: Classes, label_classes: Classes, groups: Groups | None = None) -> Score:
    """The share of held-out images that the classifier puts where they belong.

    It says nothing of the model: of a poor classifier the features are poor, too, and so is what is measured in them,
    and what is explained of it.

    Args:
        image_classes: where the classifier puts each image, as a number from 0.
        label_classes: where it belongs; below 0 where no training image was of its kind, which counts as an error.
        groups: which images belong together; the interval is then over groups.

    Raises:
        InputError: There is not one for each image.

    *Source*: none is needed.

    >>> classifier_accuracy(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]))[0].value
    0.75
    """
    if len(image_classes) != len(label_classes):
        raise InputError("label_classes", f"be one for each of {len(image_classes)} images", len(label_classes))
    if not len(label_classes):
        return no_score("there is no image", "share of images", 0)
    commonest = np.bincount(label_classes[label_classes >= 0], minlength=1).max() / len(label_classes)
    right = (image_classes == label_classes).astype(np.float64)
    unit, null = "share of images", float(commonest)
    if groups is None:
        return mean_score(right, unit, null=null, ceiling=1.0)
    return mean_of_units(right, units_of(groups, len(right)), unit, null=null, ceiling=1.0)
