"""Whether the classifier loses its class sooner when the salient pixels go first."""

from __future__ import annotations

from collections.abc import Iterator

from vaelab.metrics._deletion import area_scores
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Classes, Replaced, ReplacedClasses


@metric(
    "Deletion, salient against random pixels",
    group="explanations",
    order=140,
    better="lower",
    source="Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421",
)
def deletion_area(
    deleted_classes: ReplacedClasses, deleted_said: Replaced, reference_classes: Classes | None = None
) -> Iterator[Score]:
    """By how much sooner the classifier's answers fall where the most salient pixels go first than where any do.

    The area below the curve by saliency, less that at random.

    First of accuracy, the share of images that stay in their class; then of the probability of that class, and of the
    mutual information of the classifier's class and the images', as a share of the latter's entropy. Below 0: the
    classifier does turn on what the saliency marks. 0, the null: as well any other pixels. At random every image has an
    order of its own; the difference is paired, and its interval over images.

    Args:
        deleted_classes: where the classifier puts the image after each step, numbers from 0; the steps are equally far
            apart, from the whole image to none of it. By saliency, then at random.
        deleted_said: the probability that it gives to the class of the whole image.
        reference_classes: what the images are; left out, where the classifier puts the whole images.

    Raises:
        InputError: They are not of the same images, or of fewer than 2 steps.

    *Source*: Petsiuk et al. 2018, RISE (https://arxiv.org/abs/1806.07421).

    >>> import numpy as np
    >>> classes = np.array([[[0, 1, 1], [0, 0, 1]]])  # of one image: by saliency the first step turns it
    >>> next(iter(deletion_area(classes, 1.0 - classes))).value
    -0.5
    """
    return area_scores(deleted_classes, deleted_said, reference_classes, whole=0)
