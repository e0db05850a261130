"""How far the features of samples lie from those of images, by a kernel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vaelab.metrics._features import Found, distances
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Features

MOST_IMAGES = 5000
_DEGREE = 3


@metric(
    "Kernel distance",
    group="features",
    order=20,
    better="lower",
    source="Binkowski et al. 2018, https://arxiv.org/abs/1801.01401 (KID, in features of vaelab's own classifier)",
)
def kernel_distance(
    image_features: Features, sample_features: Features, reconstruction_features: Features | None = None
) -> Iterator[Score]:
    """The squared maximum mean discrepancy of samples and images, without bias; then that of reconstructions.

        mean k(x, x') + mean k(y, y') - 2 mean k(x, y),  k(a, b) = (a . b / number of features + 1)^3

    x, x' are two different images, y, y' two different samples. It is 0 in the mean where samples are of the images'
    kind, however few there are, so it may fall below 0. *Not comparable with KID*, whose features are Inception's, nor
    with that of another classifier. The null is what samples score that are all alike, at the images' mean.

    The interval is normal, from the first-order terms; where nothing differs it is too wide by a factor of about 1.4.
    Of more than 5,000 images 5,000 are drawn.

    Args:
        image_features: of the images.
        sample_features: of as many samples.
        reconstruction_features: of the images' reconstructions.

    Raises:
        InputError: There are not equally many.

    *Source*: Binkowski et al. 2018, section 4 (https://arxiv.org/abs/1801.01401); Gretton et al. 2012, lemma 6.

    >>> x = np.array([[1.0], [-1.0]])
    >>> kernel_distance(x, np.zeros((2, 1)))[0].value  # 0 + 1 - 2
    -1.0
    """
    return distances(
        image_features, sample_features, reconstruction_features, MOST_IMAGES, "squared kernel distance", _measure
    )


def _measure(x: np.ndarray, y: np.ndarray) -> Found:
    across = _kernel(x, y)
    shares = _others(x) - across.mean(1) + _others(y) - across.mean(0)
    value, half = float(shares.mean()), float(1.96 * 2 * shares.std(ddof=1) / np.sqrt(len(x)))
    center = x.mean(0, keepdims=True)
    null = _others(x).mean() + _kernel(center, center)[0, 0] - 2 * _kernel(x, center).mean()
    return value, (value - half, value + half), float(null)


def _others(x: np.ndarray) -> np.ndarray:
    """(image,): the mean kernel of each with all others."""
    return (_kernel(x, x).sum(1) - (np.square(x).mean(1) + 1) ** _DEGREE) / (len(x) - 1)


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** _DEGREE
