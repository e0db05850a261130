"""How densely images lie where samples are."""

from __future__ import annotations

from vaelab.metrics._features import mean_of_balls
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Features

MOST_IMAGES = 5000


@metric(
    "Density of the samples",
    group="features",
    order=50,
    better="higher",
    source="Naeem et al. 2020, https://arxiv.org/abs/2002.09797 (in features of vaelab's own classifier)",
)
def sample_density(image_features: Features, sample_features: Features, num_neighbours: int = 5) -> Score:
    """In how many balls around images a sample lies, divided by k: about 1 for samples of the images' kind.

    A ball reaches as far as the image's k-th nearest other image. Above 1 samples keep to where images lie most
    densely. It is precision that does not hang on single outliers.

    The interval holds the images fixed. Of more than 5,000 images 5,000 are drawn.

    Args:
        image_features: of the images.
        sample_features: of as many samples.
        num_neighbours: k; fewer than there are images.

    Raises:
        InputError: There are not equally many.

    *Source*: Naeem et al. 2020, equation 3 (https://arxiv.org/abs/2002.09797).

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(4000, 2))
    >>> round(sample_density(x[::2], x[1::2])[0].value, 1)
    1.0
    """
    return mean_of_balls(
        image_features,
        sample_features,
        num_neighbours,
        around="images",
        counted="samples",
        most=MOST_IMAGES,
        unit="balls per k",
        number=lambda counts: counts / num_neighbours,
        null=0.0,
    )
