"""How far the features of samples lie from those of images, as two Gaussians."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vaelab.metrics._features import Found, distances, frechet
from vaelab.metrics._metric import metric
from vaelab.metrics._resample import jackknife
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Features

MOST_IMAGES = 50_000


@metric(
    "Frechet distance",
    group="features",
    order=10,
    better="lower",
    source="Heusel et al. 2017, https://arxiv.org/abs/1706.08500 (FID, in features of vaelab's own classifier)",
)
def frechet_distance(
    image_features: Features, sample_features: Features, reconstruction_features: Features | None = None
) -> Iterator[Score]:
    """The Frechet distance of samples from images, their features taken for Gaussian; then that of reconstructions.

        |m - n|^2 + tr(S + T - 2 (S T)^(1/2)),  m, n the means, S, T the covariances

    The features are those of a classifier that vaelab trains itself, so the number is *not comparable with FID*, whose
    features are Inception's, nor with that of another classifier. It is too large by what shrinks with the number of
    images, so compare equally many, and look at what training images score in the samples' place. The null is what
    samples score that are all alike, at the images' mean: the images' variance.

    The interval is by the jackknife that leaves out a tenth at a time. Of more than 50,000 images 50,000 are drawn.

    Args:
        image_features: of the images.
        sample_features: of as many samples.
        reconstruction_features: of the images' reconstructions.

    Raises:
        InputError: There are not equally many.

    *Source*: Heusel et al. 2017 (https://arxiv.org/abs/1706.08500); Dowson and Landau 1982, the closed form.

    >>> x = np.random.default_rng(0).normal(size=(1000, 3))
    >>> round(frechet_distance(x, x + [3, 4, 0])[0].value, 6)
    25.0
    """
    return distances(
        image_features, sample_features, reconstruction_features, MOST_IMAGES, "squared distance of features", _measure
    )


def _measure(x: np.ndarray, y: np.ndarray) -> Found:
    value = frechet(x, y)
    half = jackknife(lambda rows: np.array([frechet(x[rows], y[rows])]), np.arange(len(x)))
    half = 0.0 if half is None else float(half[0])
    return value, (max(0.0, value - half), value + half), float(x.var(0, ddof=1).sum())
