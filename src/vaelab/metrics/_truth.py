"""What metrics of codes and known factors have in common: the images that can be used, null, ceiling and interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vaelab.errors import InputError
from vaelab.metrics._resample import jackknife
from vaelab.metrics._score import Score, no_score

NUM_BINS = 20
FEWEST_IMAGES = 10
_FEWEST_PER_KIND = 2
Prepare = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, ...]]
"""From codes (image, latent) and factors (image, factor) to arrays of one row per image."""
Measure = Callable[..., np.ndarray]
"""From those arrays, of all images or of some, to (score,) values."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Truth:
    """Images in an order that follows from their values, so that no score depends on how they were given."""

    codes: np.ndarray
    """(image, latent), float64, latents standardised; one that is constant is 0."""
    factors: np.ndarray
    """(image, factor), float64, those that vary, standardised."""
    names: tuple[str, ...]
    """Of those factors."""
    units: np.ndarray
    """(image,): numbers from 0 of what belongs together."""
    reason: str = ""
    """Why nothing can be measured."""

    @property
    def shuffled(self) -> np.ndarray:
        """The codes, dealt to the images at random: they are as they were, and say nothing."""
        return np.random.default_rng(1).permutation(self.codes)

    def scores(
        self,
        measure: Measure,
        parts: Sequence[str],
        unit: str,
        *,
        prepare: Prepare = lambda codes, factors: (codes, factors),
        null: float | None = None,
        ceiling: float | None = None,
        num_parts: int = 10,
        value_alone: bool = False,
        undefined: str = "",
    ) -> list[Score]:
        """What a measure says of the codes, with its interval by the jackknife.

        Args:
            measure: Gives a value for each part.
            parts: Their names, the whole first, which is empty.
            unit: Of all of them.
            prepare: Gives what is measured; left out, codes and factors themselves. Done once, not for each interval.
            null: Left out, what `shuffled` codes score.
            ceiling: Left out, what the factors score in the codes' place.
            num_parts: Of the jackknife.
            value_alone: Whether null, ceiling and interval, which take most of the time, are not wanted.
            undefined: Why a part may have no value.
        """
        own = prepare(self.codes, self.factors)
        values, none = measure(*own), [None] * len(parts)
        nulls = ceilings = half = none
        if not value_alone:
            nulls = measure(*prepare(self.shuffled, self.factors)) if null is None else [null] * len(parts)
            ceilings = measure(*prepare(self.factors, self.factors)) if ceiling is None else [ceiling] * len(parts)
            half = jackknife(lambda rows: measure(*(array[rows] for array in own)), self.units, num_parts)
        return [
            Score(
                part=part,
                value=float(value),
                unit=unit,
                count=len(self.codes),
                interval=_interval(float(value), far, most),
                null=nothing if nothing is None else float(nothing),
                ceiling=most if most is None else float(most),
                reason="" if np.isfinite(value) else undefined,
            )
            for part, value, nothing, most, far in zip(
                parts, values, nulls, ceilings, none if half is None else half, strict=True
            )
        ]

    def without(self, reason: str) -> Truth:
        """The same, of which nothing can be measured."""
        return replace(self, reason=reason)

    def nothing(self, unit: str) -> list[Score]:
        """The score without a number, for the reason there is."""
        return [no_score(self.reason, unit, len(self.codes))]


def _interval(value: float, far: float | None, most: float | None) -> tuple[float, float] | None:
    """From so far below the value to so far above it, if the ceiling isn't nearer."""
    if far is None or not np.isfinite(far):
        return None
    return float(value - far), float(max(value, value + far if most is None else min(value + far, most)))


def truth(
    codes: np.ndarray,
    factors: np.ndarray,
    factor_names: Sequence[str] = (),
    groups: np.ndarray | None = None,
    *,
    most: int = 10_000,
    fewest_factors: int = 1,
    need_codes: bool = False,
) -> Truth:
    """The images that a metric of codes and factors looks at.

    Args:
        codes: (image, latent).
        factors: (image, factor), numbers.
        factor_names: Of the factors; numbers where it is empty.
        groups: (image,) which images belong together; left out, each is on its own.
        most: A random draw of so many images at most.
        fewest_factors: That must vary.
        need_codes: Whether a latent must vary, too; else a code that does not is one that says nothing.

    Raises:
        InputError: They do not go together, or factors are not numbers.
    """
    y = numbers(factors, len(codes))
    names = tuple(map(str, factor_names)) or tuple(map(str, range(y.shape[1])))
    if len(names) != y.shape[1]:
        raise InputError("factor_names", f"be {y.shape[1]} names", len(names))
    z = np.asarray(codes, np.float64)
    together = np.arange(len(z)) if groups is None else np.unique(groups, return_inverse=True)[1]
    if len(together) != len(z):
        raise InputError("groups", f"be one for each of {len(z)} images", len(together))
    if not (np.isfinite(z).all() and np.isfinite(y).all()):
        reason = "a code is not finite" if np.isfinite(y).all() else "a factor is missing or not finite"
        return Truth(codes=z, factors=y, names=names, units=together, reason=reason)
    rows = chosen(np.lexsort((*z.T, *y.T)), most)
    z, y, together = z[rows], y[rows], np.unique(together[rows], return_inverse=True)[1]
    varies = y.std(0) > 0 if len(y) else np.zeros(y.shape[1], bool)
    found = Truth(
        codes=standardized(z),
        factors=standardized(y[:, varies]),
        names=tuple(np.array(names, dtype=object)[varies]),
        units=np.arange(len(z)) if groups is None else together,
    )
    reason = ""
    if len(z) < FEWEST_IMAGES:
        reason = f"there are fewer than {FEWEST_IMAGES} images"
    elif varies.sum() < fewest_factors:
        reason = "no factor varies" if fewest_factors == 1 else f"fewer than {fewest_factors} factors vary"
    elif need_codes and not found.codes.any():
        reason = "no latent varies"
    return replace(found, reason=reason)


def numbers(factors: np.ndarray, num_images: int) -> np.ndarray:
    """(image, factor) float64.

    Raises:
        InputError: There is not a row for each image, or they are no numbers.
    """
    try:
        y = np.asarray(factors, np.float64)
    except (TypeError, ValueError):
        raise InputError("factors", "be numbers", "text", "Kinds are labels.") from None
    if y.ndim != 2 or len(y) != num_images:
        raise InputError("factors", f"have a row for each of {num_images} images", f"an array of {y.shape}")
    return y


def chosen(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many of these rows, at random, in the order of a draw."""
    return rows[np.random.default_rng(0).permutation(len(rows))[:most]]


def standardized(columns: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and standard deviation 1; one that is constant is 0."""
    if not len(columns):
        return columns
    centered = columns - columns.mean(0)
    scale = centered.std(0)
    tiny = scale <= 1e-12 * np.abs(columns).max(0)
    return np.where(tiny, 0.0, centered / np.where(tiny, 1.0, scale))


def is_discrete(column: np.ndarray, num_bins: int = NUM_BINS) -> bool:
    """Whether it has so few different values that each is a bin of its own."""
    return len(np.unique(column)) <= min(num_bins, len(column) // _FEWEST_PER_KIND)


def bins(columns: np.ndarray, num_bins: int = NUM_BINS) -> np.ndarray:
    """(image, column), or (image,): the number of the bin, all of equal width from the smallest value to the largest.

    >>> bins(np.array([[0.0], [0.9], [1.1], [4.0]]), 4).T.tolist()
    [[0, 0, 1, 3]]
    """
    low, high = columns.min(0), columns.max(0)
    width = np.where(high > low, high - low, 1.0) / num_bins
    return np.minimum(((columns - low) / width).astype(int), num_bins - 1)


def groups_of_values(factors: np.ndarray, num_bins: int) -> np.ndarray:
    """(image, factor): the number of the value, where a factor has few; else of the bin, each of as many images.

    >>> groups_of_values(np.array([[1.0], [10.0], [100.0], [1000.0]]), 2).T.tolist()
    [[0, 0, 1, 1]]
    """
    columns = []
    for column in factors.T:
        found = np.unique(column, return_inverse=True)[1]
        if not is_discrete(column):
            first = np.searchsorted(np.sort(column), column)  # equal values stay together
            found = np.unique(first * num_bins // len(column), return_inverse=True)[1]
        columns.append(found)
    return np.stack(columns, axis=1)


def values(factors: np.ndarray, num_bins: int = NUM_BINS) -> np.ndarray:
    """(image, factor): the number of the value, where a factor has few; else the bin that it lies in."""
    columns = [
        np.unique(column, return_inverse=True)[1] if is_discrete(column, num_bins) else bins(column, num_bins)
        for column in factors.T
    ]
    return np.stack(columns, axis=1)


def entropies(kinds: np.ndarray) -> np.ndarray:
    """(column,): entropy of each column of numbers of bins, nats."""
    shares = [np.bincount(column) / len(column) for column in kinds.T]
    return np.array([-(p[p > 0] * np.log(p[p > 0])).sum() for p in shares])


def binned_information(of_codes: np.ndarray, of_factors: np.ndarray) -> np.ndarray:
    """(latent, factor): mutual information of numbers of bins, nats; that of the images at hand, which is too high.

    >>> halves = np.arange(8)[:, None] % 2
    >>> binned_information(halves, halves).round(3).tolist()  # ln 2
    [[0.693]]
    """
    widest = of_factors.max() + 1
    alone = entropies(of_codes)[:, None] + entropies(of_factors)
    joint = [entropies(latent[:, None] * widest + of_factors) for latent in of_codes.T]
    return alone - np.stack(joint)


def gap(columns: np.ndarray) -> np.ndarray:
    """(factor,): by how much the best latent leads the second, of values (latent, factor); a lone one leads 0."""
    first, second = np.sort(np.concatenate([columns, np.zeros((1, columns.shape[1]))]), axis=0)[[-1, -2]]
    return first - second


def whole_and_parts(of_factors: np.ndarray) -> np.ndarray:
    """(score,): the mean over factors and, where there are several, each."""
    return np.concatenate([[of_factors.mean()], of_factors if len(of_factors) > 1 else []])


def part_names(names: Sequence[str]) -> list[str]:
    """What `whole_and_parts` gives is called."""
    return ["", *(names if len(names) > 1 else ())]
