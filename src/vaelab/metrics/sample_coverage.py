"""How many images have a sample near them."""

from __future__ import annotations

from vaelab.metrics._features import mean_of_balls
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Features

MOST_IMAGES = 5000


@metric(
    "Coverage by the samples",
    group="features",
    order=60,
    better="higher",
    source="Naeem et al. 2020, https://arxiv.org/abs/2002.09797 (in features of vaelab's own classifier)",
)
def sample_coverage(image_features: Features, sample_features: Features, num_neighbours: int = 5) -> Score:
    """The share of images in whose ball lies a sample.

    A ball reaches as far as the image's k-th nearest other image. With as many samples as images, of the images' kind,
    it is about 1 - 2^-k in the mean: 0.97 for k = 5. It is recall whose balls are around images, which are the same for
    every model.

    The interval holds the samples fixed. Of more than 5,000 images 5,000 are drawn.

    Args:
        image_features: of the images.
        sample_features: of as many samples.
        num_neighbours: k; fewer than there are images.

    Raises:
        InputError: There are not equally many.

    *Source*: Naeem et al. 2020, equation 4 and section 3.3 (https://arxiv.org/abs/2002.09797).

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(4000, 2))
    >>> round(sample_coverage(x[::2], x[1::2])[0].value, 2)
    0.97
    """
    return mean_of_balls(
        image_features,
        sample_features,
        num_neighbours,
        around="images",
        counted="images",
        most=MOST_IMAGES,
        unit="share of images",
        null=0.0,
        ceiling=1.0,
    )
