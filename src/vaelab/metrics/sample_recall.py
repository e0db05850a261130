"""How many images look like samples."""

from __future__ import annotations

from vaelab.metrics._features import mean_of_balls
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Features

MOST_IMAGES = 5000


@metric(
    "Recall of the samples",
    group="features",
    order=40,
    better="higher",
    source="Kynkaanniemi et al. 2019, https://arxiv.org/abs/1904.06991 (in features of vaelab's own classifier)",
)
def sample_recall(image_features: Features, sample_features: Features, num_neighbours: int = 3) -> Score:
    """The share of images that lie among the samples: in one of the balls around them.

    A ball reaches as far as the sample's third nearest other sample. Samples that lie far apart, such as noise, have
    large balls, which lifts it: look at the precision, and at `sample_coverage`, whose balls are around images.

    The interval holds the samples fixed. Of more than 5,000 images 5,000 are drawn.

    Args:
        image_features: of the images.
        sample_features: of as many samples.
        num_neighbours: as far as which a ball reaches; fewer than there are images.

    Raises:
        InputError: There are not equally many.

    *Source*: Kynkaanniemi et al. 2019, equation 2 (https://arxiv.org/abs/1904.06991).

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> [sample_recall(x, y)[0].value for y in (x, 0 * x)]
    [1.0, 0.0]
    """
    return mean_of_balls(
        image_features,
        sample_features,
        num_neighbours,
        around="samples",
        counted="images",
        most=MOST_IMAGES,
        unit="share of images",
        null=0.0,
        ceiling=1.0,
    )
