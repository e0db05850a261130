"""How far the features of samples lie from those of images, as two Gaussians."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vaelab.metrics._features import Found, distances
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
    value = _distance(x, y)
    half = jackknife(lambda rows: np.array([_distance(x[rows], y[rows])]), np.arange(len(x)))
    half = 0.0 if half is None else float(half[0])
    return value, (max(0.0, value - half), value + half), float(x.var(0, ddof=1).sum())


def _distance(x: np.ndarray, y: np.ndarray) -> float:
    """Of one image there is no covariance, which counts as 0."""
    roots = [_root(features) for features in (x, y)]
    together = np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum()
    variances = sum(np.square(root).sum() for root in roots)
    return float(np.square(x.mean(0) - y.mean(0)).sum() + max(0.0, variances - 2 * together))


def _root(features: np.ndarray) -> np.ndarray:
    """(feature, feature): the symmetric square root of the covariance."""
    centred = features - features.mean(0)
    values, vectors = np.linalg.eigh(centred.T @ centred / max(1, len(features) - 1))
    return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
