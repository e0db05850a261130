"""Whether a reconstruction still looks like an image of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from vaelab.errors import InputError
from vaelab.metrics._metric import metric
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import Classes

_UNIT = "share of images"


@metric(
    "Agreement of the classifier on reconstructions",
    group="features",
    order=70,
    better="higher",
    source="Salimans et al. 2016, https://arxiv.org/abs/1606.03498 (a classifier as the judge of images)",
)
def classifier_agreement(
    image_classes: Classes, reconstruction_classes: Classes, class_names: Sequence[str] = ()
) -> Iterator[Score]:
    """The share of images whose reconstruction the classifier puts where it puts the image; then of each class.

    The classifier may err: it is asked whether it errs alike. It was trained on images and not on reconstructions, so
    what it takes for a change of the class may be a blur. The null is the agreement by chance, of reconstructions that
    were dealt to the images at random.

    Args:
        image_classes: where the classifier puts each image, as a number from 0.
        reconstruction_classes: where it puts the reconstruction.
        class_names: of the classes; numbers where it is empty.

    Raises:
        InputError: There is not one for each image.

    *Source*: the idea of a classifier as judge is that of Salimans et al. 2016 (https://arxiv.org/abs/1606.03498);
    chance as in Cohen 1960.

    >>> [(s.part, s.value) for s in classifier_agreement(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))]
    [('', 0.75), ('0', 0.5), ('1', 1.0)]
    """
    if len(image_classes) != len(reconstruction_classes):
        raise InputError(
            "reconstruction_classes", f"be one for each of {len(image_classes)} images", len(reconstruction_classes)
        )
    found = np.unique(image_classes)
    if len(found) < 2:
        yield no_score("the classifier puts all images into one class", _UNIT, len(image_classes))
        return
    same = (image_classes == reconstruction_classes).astype(np.float64)
    chances = {int(kind): float((reconstruction_classes == kind).mean()) for kind in found}
    null = sum(float((image_classes == kind).mean()) * chance for kind, chance in chances.items())
    yield mean_score(same, _UNIT, null=null, ceiling=1.0)
    for kind, chance in chances.items():
        name = str(class_names[kind]) if len(class_names) else str(kind)
        yield mean_score(same[image_classes == kind], _UNIT, part=name, null=chance, ceiling=1.0)
