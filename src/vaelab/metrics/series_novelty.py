"""How far the steps lie from anything that the model was trained on."""

from __future__ import annotations

from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._series import check_images, ratio_of_means
from vaelab.metrics._shapes import PerImage, Steps


@metric(
    "Distance to the nearest training image",
    group="explanations",
    order=60,
    better="lower",
    source="vaelab's own (the nearest neighbour of a counterfactual: Van Looveren and Klaise 2019, arXiv 1907.02584)",
)
def series_novelty(series_nearest: Steps, code_nearest: PerImage) -> Score:
    """How far a step's code is from the nearest training image's code, over how far the image's own code is.

        mean over images and steps of the distance / mean over images of the distance

    1: steps are as near to training images as held-out images are. Above: they are like nothing that the model saw.
    Below: steps lie where training images are dense.

    Args:
        series_nearest: distance of each step's code to the nearest training code.
        code_nearest: distance of each image's code to the nearest training code; the images are not among them.

    Raises:
        InputError: They are not of the same images.

    *Source*: Van Looveren and Klaise 2019, which draws counterfactuals to the nearest of a class
    (https://arxiv.org/abs/1907.02584).

    >>> import numpy as np
    >>> series_novelty(np.array([[2.0, 4.0], [1.0, 1.0]]), np.array([1.0, 1.0]))[0].value
    2.0
    """
    check_images(len(code_nearest), series_nearest=series_nearest)
    reason = "every image is a training image, or its code is that of one"
    return ratio_of_means(series_nearest.mean(1), code_nearest, "times the images' distance", reason)
