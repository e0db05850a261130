"""Which images are neighbours, by code and by what is known: one pass that all measures of neighbourhoods share.

Ranks are exact: 1 is the nearest of all other images. Of distances that are equal to seven digits the earlier image is
the nearer, in both spaces, so that duplicates don't keep perfect codes from the ceiling. Where both spaces have many
equal distances, as for a grid of factors and codes of few values, chance is above the stated null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from scipy.spatial.distance import cdist

from vaelab.errors import InputError
from vaelab.metrics._resample import interval_of_means
from vaelab.metrics._score import Score, no_score

MOST_IMAGES = 10_000
NUM_NEIGHBOURS = 10
FAR = 5
"""Neighbours are looked at up to a fifth, 20 %, of all images."""
_EXACT_COLUMNS, _WIDE = 32, 1000
_CHUNK = 2_500_000
"""Numbers in one array while distances are sorted."""
Part = tuple[str, np.ndarray, float, float | None]
"""Its name, (image,) numbers, null and ceiling."""
UNRANKED = f"neighbours need {NUM_NEIGHBOURS + 2} images, finite, and not all the same by code or by what is known"


def co_ranks(codes: np.ndarray, known: np.ndarray, seed: int = 0) -> np.ndarray:
    """The ranks in either space of each image's nearest in the other, by Euclidean distance.

    Of more than 10,000 images 10,000 are drawn, and ranked among each other. Distances are compared in single
    precision, and those of more than 32 columns computed in it. For 10,000 images the peak is below 1 GB.

    Args:
        codes: (image, latent).
        known: (image, column), such as pixels or factors.
        seed: Of the draw.

    Returns:
        (image, neighbour, 2): first, of the nearest by code, nearest first, their rank by what is known; then, of the
        nearest by what is known, their rank by code. A fifth of the images are neighbours, 10 at least; there are none
        at all where nothing can be ranked: fewer than 12 images, numbers that are not finite, or all the same.

    >>> codes = np.arange(20.0)[:, None]
    >>> co_ranks(codes, -2 * codes)[0, :, 0].tolist()
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    """
    if len(codes) != len(known):
        raise InputError("codes", f"be as many as the {len(known)} images whose neighbours are known", len(codes))
    rows = slice(None)
    if len(codes) > MOST_IMAGES:
        rows = np.sort(np.random.default_rng(seed).permutation(len(codes))[:MOST_IMAGES])
    codes, known = codes[rows], known[rows]
    count = len(codes)
    if count < NUM_NEIGHBOURS + 2 or any(_nothing(space) for space in (codes, known)):
        return np.zeros((count, 0, 2), np.uint16)
    num_neighbours = max(NUM_NEIGHBOURS, count // FAR)
    found = np.empty((2, count, num_neighbours), np.uint16)
    by_code, by_known = _distances(codes), _distances(known)
    for rows in chunks(count, count):
        orders = _order(by_code(rows), rows), _order(by_known(rows), rows)
        found[:, rows] = list(_crossed(*orders, num_neighbours))
    return found.transpose(1, 2, 0)


def chunks(count: int, columns: int) -> Iterator[slice]:
    """Rows of an array so wide, some at a time."""
    size = max(1, _CHUNK // max(1, columns))
    return (slice(start, min(count, start + size)) for start in range(0, count, size))


def shares(ranks: np.ndarray, share: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """(image,): what each image's neighbours add up to.

    Args:
        ranks: (image, neighbour), of one way.
        share: From ranks (image, neighbour), and how near the neighbours are in their own space (neighbour,), from 1,
            to what each counts.
    """
    near = np.arange(1, ranks.shape[1] + 1)
    parts = [share(ranks[rows].astype(np.int64), near).sum(1) for rows in chunks(*ranks.shape)]
    return np.concatenate(parts) if parts else np.zeros(0)


def sizes(ranks: np.ndarray) -> np.ndarray:
    """The sizes of neighbourhood, k = 1 to 20 % of the images, over which an area is taken."""
    return np.arange(1, max(1, min(ranks.shape[1], len(ranks) // FAR)) + 1)


def size_there_is(ranks: np.ndarray, num_neighbours: int) -> int:
    """So many neighbours, if there are.

    Raises:
        InputError: They are fewer than 1, or more than were ranked.
    """
    if not 1 <= num_neighbours <= ranks.shape[1]:
        most = f"be 1 to {ranks.shape[1]}, 20 % of the images"
        raise InputError("num_neighbours", most, num_neighbours)
    return num_neighbours


def neighbour_scores(ranks: np.ndarray, unit: str, parts: Callable[[], Iterable[Part]]) -> list[Score]:
    """A score for each part, the mean over images; or, where nothing was ranked, the reason.

    An image moves its own number and, as a neighbour, those of others. So the interval is twice as wide as that of a
    mean of independent numbers: about right for a fifth of all as neighbours, too wide for 10 among thousands.

    Args:
        ranks: As `co_ranks` gives them.
        unit: Of all of them.
        parts: Gives them.
    """
    if not ranks.shape[1]:
        return [no_score(UNRANKED, unit, len(ranks))]
    return [
        Score(
            part=part,
            value=float(values.mean()),
            unit=unit,
            count=len(values),
            interval=_twice(interval_of_means(values), float(values.mean()), ceiling),
            null=null,
            ceiling=ceiling,
        )
        for part, values, null, ceiling in parts()
    ]


def _twice(interval: tuple[float, float] | None, value: float, ceiling: float | None) -> tuple[float, float] | None:
    """The interval with both its ends twice as far from the value, as far as values go."""
    if interval is None:
        return None
    low, high = (value + 2 * (end - value) for end in interval)
    return max(low, min(value, 0.0)), min(high, max(value, np.inf if ceiling is None else ceiling))


def common(ranks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(image,): the weighted sum, over k from 1, of how many of the k nearest are the same in both spaces.

    Args:
        ranks: As `co_ranks` gives them.
        weights: (size,) one for each k.
    """
    farthest = len(weights)
    from_here = np.zeros(len(ranks) + 1)
    from_here[1 : farthest + 1] = np.cumsum(weights[::-1])[::-1]
    return shares(ranks[:, :farthest, 0], lambda rank, near: from_here[np.maximum(rank, near)])


def intruded(ranks: np.ndarray, way: int, num_neighbours: int) -> tuple[np.ndarray, float, float]:
    """Each image's share of the trustworthiness at one k, with null and ceiling. Way 1: of the continuity."""
    scale, null = _most_intruded(len(ranks), np.array([num_neighbours]))
    share = shares(ranks[:, :num_neighbours, way], lambda rank, near: np.maximum(rank - num_neighbours, 0))
    return 1 - share / scale[0], float(null[0]), 1.0


def intrusions(ranks: np.ndarray, way: int, num_neighbours: int) -> list[Score]:
    """Trustworthiness at one k and its mean over k up to 20 % of the images. Way 1: continuity."""

    def parts():
        yield ("", *intruded(ranks, way, size_there_is(ranks, num_neighbours)))
        k = sizes(ranks)
        scale, null = _most_intruded(len(ranks), k)
        ones, ks = (np.r_[0, np.cumsum(numbers / scale)] / len(k) for numbers in (np.ones(len(k)), k))

        def share(rank: np.ndarray, near: np.ndarray) -> np.ndarray:
            last = np.minimum(rank - 1, len(k))
            lost = rank * (ones[last] - ones[near - 1]) - (ks[last] - ks[near - 1])
            return np.where(last >= near, lost, 0)

        yield "area", 1 - shares(ranks[:, : len(k), way], share), float(null.mean()), 1.0

    return neighbour_scores(ranks, "share of the most", parts)


def _most_intruded(count: int, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each k, the most by which the k nearest of an image can exceed it; and 1 less what chance gives of that."""
    most = np.where(2 * k < count, k * (2 * count - 3 * k - 1), (count - k) * (count - k - 1)) / 2
    return most, 1 - k * (count - 1 - k) * (count - k) / (2 * (count - 1)) / most


def _nothing(space: np.ndarray) -> bool:
    """Whether nothing is nearer than anything else."""
    return not np.isfinite(space).all() or bool((space == space[0]).all())


def _distances(space: np.ndarray) -> Callable[[slice], np.ndarray]:
    """From rows to their squared distances from all (row, image); those of duplicates are the same to the last bit."""
    if space.shape[1] <= _EXACT_COLUMNS:
        space = space.astype(np.float64)
        return lambda rows: cdist(space[rows], space, "sqeuclidean")
    alike = _first_alike(space)
    space = space.astype(np.float32)
    space -= space.mean(0, dtype=np.float64).astype(np.float32)
    squares = np.einsum("ij,ij->i", space, space, dtype=np.float64).astype(np.float32)

    whole = None
    if space.shape[1] > _WIDE:
        whole, space = _products(space), space[:0]

    def distances(rows: slice) -> np.ndarray:
        products = space[rows] @ space.T if whole is None else whole[rows]
        found = np.maximum(squares[rows, None] + squares - 2 * products, 0)
        found[alike[rows, None] == alike] = 0
        return found[:, alike]

    return distances


def _products(space: np.ndarray) -> np.ndarray:
    """(image, image): the products of each with each, computed once for both orders."""
    whole = np.empty((len(space), len(space)), np.float32)
    for rows in chunks(len(space), len(space)):
        whole[rows, rows.start :] = space[rows] @ space[rows.start :].T
        whole[rows.stop :, rows] = whole[rows, rows.stop :].T
    return whole


def _first_alike(space: np.ndarray) -> np.ndarray:
    """(image,): the first image that is the same as each."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(row.tobytes(), place) for place, row in enumerate(space)])


def _order(distances: np.ndarray, rows: slice) -> np.ndarray:
    """(row, image): the images from near to far, each row's own first; of equally near ones the earlier first.

    A distance's bits, read as a whole number, are in the distances' order; with the place behind them no two are equal.
    """
    distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = 0
    keys = distances.astype(np.float32).view(np.uint32).astype(np.uint64) + 1
    keys[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = 0
    keys <<= np.uint64(32)
    keys |= np.arange(keys.shape[1], dtype=np.uint64)
    keys.sort(axis=1)
    return keys.astype(np.uint32)


def _crossed(first: np.ndarray, second: np.ndarray, num_neighbours: int) -> Iterator[np.ndarray]:
    """(row, neighbour), twice: the rank in the second order of the first's nearest, and the other way round."""
    ranks, places = np.empty(first.shape, np.uint16), np.arange(first.shape[1], dtype=np.uint16)
    for own, other in ((first, second), (second, first)):
        for row, order in zip(ranks, other, strict=True):
            row[order] = places
        yield np.take_along_axis(ranks, own[:, 1 : num_neighbours + 1], 1)
