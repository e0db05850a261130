"""Mutual information by nearest neighbours: of two sets of numbers, or of numbers and kinds."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree
from scipy.special import digamma

NUM_NEIGHBOURS = 3


def ksg(x: np.ndarray, y: np.ndarray, num_neighbours: int = NUM_NEIGHBOURS, seed: int = 0) -> np.ndarray:
    """Each image's share of the mutual information of two sets of numbers; their mean is the estimate, in nats.

        I = psi(k) + psi(N) - mean over images of [psi(n_x + 1) + psi(n_y + 1)]

    e being the distance to an image's k-th neighbour in x and y together (the largest difference of any column),
    n_x images lie nearer than e in x alone, and n_y in y alone. Columns are divided by their standard deviation. As
    equal values make the distances 0, noise of 1e-10 standard deviations parts them.

    It is meant for few columns (1 to 5 in all): there it is nearly unbiased, and its bias cancels where x and y are
    independent. It is too low where x nearly fixes y, since N images show at most about psi(N) nats; and it
    may fall below 0 by chance. A column of few values belongs to `ksg_of_kinds`.

    Args:
        x: (image,) or (image, column), finite.
        y: (image,) or (image, column), of the same images.
        num_neighbours: k; more of them vary less and are more biased. At most one less than there are images.
        seed: Of the noise.

    Returns:
        (image,) nats; NaN where there are no more images than neighbours, or x or y does not vary at all.

    *Source*: Kraskov, Stoegbauer and Grassberger 2004, estimator 1, equation 8 (https://arxiv.org/abs/cond-mat/0305641).

    >>> x, noise = np.random.default_rng(0).normal(size=(2, 4000))
    >>> bool(abs(ksg(x, x + noise).mean() - np.log(2) / 2) < 0.05)
    True
    """
    random = np.random.default_rng(seed)
    x, y = _spread(x, random), _spread(y, random)
    count = len(x)
    if count <= num_neighbours or not (x.size and y.size):
        return np.full(count, np.nan)
    both = np.concatenate([x, y], axis=1)
    nearer = np.nextafter(_distances(both, num_neighbours), 0)
    near_x, near_y = _count_within(x, nearer), _count_within(y, nearer)
    return digamma(num_neighbours) + digamma(count) - digamma(near_x) - digamma(near_y)


def ksg_of_kinds(x: np.ndarray, kinds: np.ndarray, num_neighbours: int = NUM_NEIGHBOURS, seed: int = 0) -> np.ndarray:
    """Each image's share of the mutual information of numbers and kinds; their mean is the estimate, in nats.

        I = psi(N) + psi(k) - mean over images of [psi(N_kind) + psi(m)]

    m other images lie no farther in x than the k-th neighbour of the same kind. A kind of fewer than
    k + 1 images counts with as many neighbours as it has; one of a single image is left out, which is NaN.

    Args:
        x: (image,) or (image, column), finite; as in `ksg`.
        kinds: (image,), such as labels, or a factor of few values.
        num_neighbours: k.
        seed: Of the noise.

    Returns:
        (image,) nats; NaN for images of a kind of their own, and for all where x does not vary.

    *Source*: Ross 2014 (https://doi.org/10.1371/journal.pone.0087357).

    >>> kinds = np.arange(4000) % 2
    >>> x = np.random.default_rng(0).normal(size=4000) + 20 * kinds
    >>> bool(abs(ksg_of_kinds(x, kinds).mean() - np.log(2)) < 0.01)
    True
    """
    x = _spread(x, np.random.default_rng(seed))
    codes, sizes = np.unique(kinds, return_inverse=True, return_counts=True)[1:]
    counted = sizes[codes] > 1
    if not x.size or not counted.any():
        return np.full(len(codes), np.nan)
    neighbours, distances = np.zeros(len(x)), np.zeros(len(x))
    for kind in np.flatnonzero(sizes > 1):
        own = np.flatnonzero(codes == kind)
        neighbours[own] = k = min(num_neighbours, len(own) - 1)
        distances[own] = _distances(x[own], k)
    shares = np.full(len(x), np.nan)
    near = _count_within(x[counted], np.nextafter(distances[counted], 0))
    sizes = sizes[codes][counted]
    shares[counted] = digamma(counted.sum()) + digamma(neighbours[counted]) - digamma(sizes) - digamma(near)
    return shares


def _spread(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(image, column), float64: the columns that vary, each of standard deviation 1, with noise too small to matter."""
    x = np.asarray(x, np.float64).reshape(len(x), -1)
    x = x - x.mean(0)
    scale = x.std(0)
    x = x[:, scale > 0] / scale[scale > 0]
    return x + 1e-10 * random.standard_normal(x.shape)


def _distances(x: np.ndarray, neighbour: int) -> np.ndarray:
    """(image,): how far that neighbour is, the first being the nearest, by the largest difference."""
    return KDTree(x).query(x, [neighbour + 1], p=np.inf)[0][:, 0]  # pyright: ignore[reportArgumentType]


def _count_within(x: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """(image,): how many images, itself among them, lie no farther than its radius, by the largest difference."""
    if x.shape[1] > 1:
        return KDTree(x).query_ball_point(x, radii, p=np.inf, return_length=True)
    column = x[:, 0]
    ordered, radii = np.sort(column), radii - 1e-13  # the sums below are rounded
    return np.searchsorted(ordered, column + radii, "right") - np.searchsorted(ordered, column - radii, "left")
