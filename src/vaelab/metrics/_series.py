"""What metrics of series of images have in common: each image with steps of which a classifier says more and more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from vaelab.errors import InputError
from vaelab.metrics._resample import interval_of_means
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._truth import chosen

UNIT = "share of steps"
NOT_FINITE = "a number of an image is not finite"


def check_images(num_images: int, **others: np.ndarray) -> None:
    """Refuses arrays that are not of as many images, or have no step.

    Raises:
        InputError: One of them is such; says which.
    """
    for name, array in others.items():
        if len(array) != num_images:
            raise InputError(name, f"be of {num_images} images", len(array))
        if array.ndim > 1 and not array.shape[1]:
            raise InputError(name, "have a step for each image", "none")


def all_or_none(column: np.ndarray) -> np.ndarray:
    """(image,): no numbers at all where one is not finite: their mean would be wrong, or of fewer images in silence."""
    return column if np.isfinite(column).all() else column[:0]


def correlations(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(row,): Pearson's correlation of rows; 0 where the second is constant, NaN where the first is."""
    a, b = (rows - rows.mean(1, keepdims=True) for rows in (first.astype(np.float64), second.astype(np.float64)))
    sums = [(x * y).sum(1) for x, y in ((a, b), (a, a), (b, b))]
    scale = np.sqrt(sums[1] * sums[2])
    found = np.divide(sums[0], scale, out=np.zeros(len(a)), where=scale > 0)
    return np.where(sums[1] > 0, found, np.nan)


def ratio_of_means(above: np.ndarray, below: np.ndarray, unit: str, nothing: str, null: float | None = None) -> Score:
    """The mean over images of one number over the mean of another, with its bootstrap interval over images.

    Args:
        above: (image,), not negative.
        below: (image,), not negative.
        unit: Of the ratio.
        nothing: Why there is none where all below are 0.
        null: Of the score.
    """
    both = np.stack([above, below], 1).astype(np.float64)
    if not np.isfinite(both).all() or not both[:, 1].any():
        reason = nothing if np.isfinite(both).all() else NOT_FINITE
        return replace(no_score(reason, unit, len(both)), null=null)
    means = both.mean(0)

    def ratio(of: np.ndarray) -> np.ndarray:
        return np.divide(of[:, 0], of[:, 1], out=np.full(len(of), np.inf), where=of[:, 1] > 0)

    ends = interval_of_means(both, ratio)
    ends = ends if ends and np.isfinite(ends).all() else None
    return Score(value=float(means[0] / means[1]), unit=unit, count=len(both), interval=ends, null=null)


def kinds_of_steps(
    real: np.ndarray, steps: np.ndarray, drawn: np.ndarray | None, names: Sequence[str], most: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The features of the images, in an order that follows from their values; and what is set beside them.

    Args:
        real: (image, feature).
        steps: (image, target, feature).
        drawn: (image, feature) of reconstructions.
        names: Of the targets; numbers where it is empty.
        most: A random draw of so many images at most.

    Returns:
        (image, feature) float64; and part -> (image, step, feature) float64: all steps under an empty name, then
        reconstructions, then each target where there are several.

    Raises:
        InputError: They do not go together.
    """
    there = {"series_features": steps} | ({} if drawn is None else {"drawn_features": drawn})
    check_images(len(real), **there)
    count = steps.shape[1]
    if names and len(names) != count:
        raise InputError("target_names", f"be {count} names", len(names))
    rows = chosen(np.lexsort(real.T), most) if len(real) else np.arange(0)
    kinds = {"": steps} | ({} if drawn is None else {"reconstructions": drawn[:, None]})
    if count > 1:
        kinds |= {str(name): steps[:, i : i + 1] for i, name in enumerate(names or range(count))}
    return real[rows].astype(np.float64), {name: array[rows].astype(np.float64) for name, array in kinds.items()}


def of_returned(
    codes: np.ndarray,
    returned: np.ndarray,
    drawn: np.ndarray | None,
    measure: Callable[[np.ndarray, np.ndarray], Score],
) -> Iterator[Score]:
    """A share of steps that are still their image, by the encoder; then that of reconstructions, where they are there.

    Args:
        codes: (image, latent).
        returned: (image, target, latent).
        drawn: (image, latent).
        measure: From codes and returned codes, float64 and finite, of 2 images or more, to the score.

    Raises:
        InputError: They are not of the same images.
    """
    steps = {"": ("returned_codes", returned)}
    if drawn is not None:
        steps["reconstructions"] = ("drawn_codes", drawn[:, None])
    for part, (name, array) in steps.items():
        check_images(len(codes), **{name: array})
        z, found = codes.astype(np.float64), array.astype(np.float64)
        if len(z) < 2:
            score = no_score("there are fewer than 2 images", UNIT, len(z))
        elif not (np.isfinite(z).all() and np.isfinite(found).all()):
            score = no_score("a code is not finite", UNIT, len(z))
        else:
            score = measure(z, found)
        yield replace(score, part=part)
