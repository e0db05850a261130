"""How many samples look like images."""

from __future__ import annotations

from vaelab.metrics._features import mean_of_balls
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Features

MOST_IMAGES = 5000


@metric(
    "Precision of the samples",
    group="features",
    order=30,
    better="higher",
    source="Kynkaanniemi et al. 2019, https://arxiv.org/abs/1904.06991 (in features of vaelab's own classifier)",
)
def sample_precision(image_features: Features, sample_features: Features, num_neighbours: int = 3) -> Score:
    """The share of samples that lie among the images: in one of the balls around them.

    A ball reaches as far as the image's third nearest other image. Samples that are all alike may have a precision of
    1: look at the recall, too. One outlier among the images has a large ball; `sample_density` minds that less.

    The interval holds the images fixed. Of more than 5,000 images 5,000 are drawn.

    Args:
        image_features: of the images.
        sample_features: of as many samples.
        num_neighbours: as far as which a ball reaches; fewer than there are images.

    Raises:
        InputError: There are not equally many.

    *Source*: Kynkaanniemi et al. 2019, equation 2 (https://arxiv.org/abs/1904.06991).

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> [sample_precision(x, y)[0].value for y in (x, x + 100)]
    [1.0, 0.0]
    """
    return mean_of_balls(
        image_features,
        sample_features,
        num_neighbours,
        around="images",
        counted="samples",
        most=MOST_IMAGES,
        unit="share of samples",
        ceiling=1.0,
    )
