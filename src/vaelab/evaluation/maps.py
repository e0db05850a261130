"""Maps of many numbers per image to two, and how far neighbours stay neighbours on them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from vaelab.errors import InputError, unknown_name
from vaelab.metrics import Score
from vaelab.metrics._coranking import MOST_IMAGES, NUM_NEIGHBOURS, UNRANKED, co_ranks, intruded
from vaelab.metrics.continuity import continuity
from vaelab.metrics.r_nx import r_nx
from vaelab.metrics.trustworthiness import trustworthiness

_FIRST = 50
"""Principal components that t-SNE and UMAP get of what has more columns."""
_FEWEST = 5


def projections() -> tuple[str, ...]:
    """The names of those that can be made here: UMAP only where umap-learn is installed.

    >>> projections()[:2]
    ('PCA', 't-SNE')
    """
    return tuple(name for name in _MADE if name != "UMAP" or find_spec("umap"))


def project(numbers: np.ndarray, name: str, seed: int = 0) -> np.ndarray:
    """(image, 2): the images on a map, by their numbers alone.

    PCA keeps the two directions of most variance. t-SNE has a perplexity of 30, UMAP 15 neighbours, each as its library
    has it, fewer where there are few images; both start from PCA and see its first 50 components. On their maps
    distances between far groups mean nothing.

    Args:
        numbers: (image, number), such as codes or pixels.
        name: PCA, t-SNE or UMAP.
        seed: Of whatever is drawn.

    Raises:
        InputError: There are fewer than 5 images, they are not finite, or the map is not known or not installed.

    *Source*: van der Maaten and Hinton 2008, Visualizing data using t-SNE; McInnes, Healy and Melville 2018
    (https://arxiv.org/abs/1802.03426).

    >>> project(np.random.default_rng(0).normal(size=(20, 3)), "PCA").shape
    (20, 2)
    """
    if name not in _MADE:
        raise unknown_name("the projection", name, _MADE)
    if name not in projections():
        raise InputError("the projection", "be one that is installed", name, "pip install 'vaelab[umap]'.")
    numbers = np.asarray(numbers).reshape(len(numbers), -1)
    if len(numbers) < _FEWEST or not np.isfinite(numbers).all():
        raise InputError("numbers", f"be finite, of {_FEWEST} images or more", f"{len(numbers)} images")
    return np.asarray(_MADE[name](numbers, seed), np.float64)


def neighbourhood(points: np.ndarray, known: np.ndarray, seed: int = 0) -> tuple[Score, ...]:
    """Trustworthiness and continuity at 10 neighbours, and the area under R_NX, of points against what is known.

    Args:
        points: (image, number): a map, or codes.
        known: (image, number), such as pixels.
        seed: Of the draw of 10,000 images where there are more.

    Returns:
        Three scores in this order; the third weighs neighbourhoods of k images by 1 / k, see `r_nx`.

    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> [round(score.value, 6) for score in neighbourhood(2 * x, x)]
    [1.0, 1.0, 1.0]
    """
    ranks = co_ranks(points, known, seed)
    return trustworthiness(ranks)[0], continuity(ranks)[0], r_nx(ranks)[-1]


def local_neighbourhood(points: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(2, image): each image's own share of the trustworthiness and of the continuity at 10 neighbours.

    1 where its neighbours are the same ones on either side, lower the farther away they are on the other; the means are
    the two measures of the whole.

    Args:
        points: (image, number): a map, or codes.
        known: (image, number), such as pixels.

    Raises:
        InputError: There are fewer than 12 images or more than 10,000, or nothing is nearer than anything else.

    *Source*: Venna and Kaski 2001, Neighborhood preservation in nonlinear projection methods
    (https://doi.org/10.1007/3-540-44668-0_68).

    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> local_neighbourhood(2 * x, x).mean(1).tolist()
    [1.0, 1.0]
    """
    if len(points) > MOST_IMAGES:
        raise InputError("the images", f"be at most {MOST_IMAGES:,} whose neighbours are compared", len(points))
    ranks = co_ranks(points, known)
    if not ranks.shape[1]:
        raise InputError("the images", "have neighbours on either side", UNRANKED)
    return np.stack([intruded(ranks, way, NUM_NEIGHBOURS)[0] for way in range(2)])


def _pca(numbers: np.ndarray, seed: int, most: int = 2) -> np.ndarray:
    from sklearn.decomposition import PCA

    count = min(most, *numbers.shape)
    with np.errstate(invalid="ignore"):  # all the same: the share of the variance is 0 / 0, and not looked at
        found = PCA(count, random_state=seed).fit_transform(numbers)
    return np.pad(found, ((0, 0), (0, max(0, 2 - count))))


def _tsne(numbers: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(numbers) - 1) / 3)
    start = _pca(numbers, seed)
    start = (start / max(float(start[:, 0].std()), 1e-12) * 1e-4).astype(np.float32)
    made = TSNE(perplexity=perplexity, init=start, random_state=seed)  # pyright: ignore[reportArgumentType]
    return made.fit_transform(_pca(numbers, seed, _FIRST) if numbers.shape[1] > _FIRST else numbers)


def _umap(numbers: np.ndarray, seed: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numba's and of those that say what a seed costs
        import umap  # pyright: ignore[reportMissingImports]

        made = umap.UMAP(n_neighbors=min(15, len(numbers) - 1), init="pca", random_state=seed, n_jobs=1)
        return made.fit_transform(_pca(numbers, seed, _FIRST) if numbers.shape[1] > _FIRST else numbers)


_MADE: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {"PCA": _pca, "t-SNE": _tsne, "UMAP": _umap}
