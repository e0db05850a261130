"""Whether the classifier finds its class sooner when the salient pixels come first."""

from __future__ import annotations

from collections.abc import Iterator

from vaelab.metrics._deletion import area_scores
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Classes, Replaced, ReplacedClasses


@metric(
    "Insertion, salient against random pixels",
    group="explanations",
    order=150,
    better="higher",
    source="Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421",
)
def insertion_area(
    inserted_classes: ReplacedClasses, inserted_said: Replaced, reference_classes: Classes | None = None
) -> Iterator[Score]:
    """By how much the classifier's answers rise sooner as the most salient pixels come first than as any do.

    As `deletion_area`, the other way round: from an image of replacements alone to the image itself. Above 0: what the
    saliency marks is enough. 0, the null: as well any other pixels.

    Args:
        inserted_classes: where the classifier puts the image after each step, numbers from 0; the steps are equally far
            apart, from the whole image to none of it, in the reverse order. By saliency, then at random.
        inserted_said: the probability that it gives to the class of the whole image.
        reference_classes: what the images are; left out, where the classifier puts the whole images.

    Raises:
        InputError: They are not of the same images, or of fewer than 2 steps.

    *Source*: Petsiuk et al. 2018, RISE (https://arxiv.org/abs/1806.07421).

    >>> import numpy as np
    >>> classes = np.array([[[1, 0, 0], [1, 1, 0]]])  # of one image: by saliency the first step is enough
    >>> next(iter(insertion_area(classes, 1.0 - classes))).value
    0.5
    """
    return area_scores(inserted_classes, inserted_said, reference_classes, whole=-1)
