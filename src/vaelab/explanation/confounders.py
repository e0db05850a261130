"""Whether the explanation of a classifier drags along what is not its class, such as the plate of an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaelab.errors import InputError
from vaelab.metrics import Score, interval_of_means, mean_score
from vaelab.metrics._shapes import Classes, Mask

COUNTS = 0.05
"""A difference of drags counts where its interval lies beyond this: a training has some chance of its own."""
_UNIT = "probability"
_ROUNDING = 1e-3


@dataclass(frozen=True, eq=False, kw_only=True)
class Drag:
    """How far an explanation drags along another column, beside that of a classifier that cannot have learnt it.

    The two ends of an image's series are the steps where the classifier was wanted to be surest that it is of the
    class, and least sure. How far the column moves between them is what an oracle says of it there.
    """

    moved: Score
    """Total variation distance between the oracle's probabilities at both ends, mean over images; 0 to 1."""
    toward: Score
    """Change of the probability of the value that goes with the class, from the lower end to the upper; -1 to 1."""
    baseline_moved: Score
    """As `moved`, by a classifier trained on balanced data."""
    baseline_toward: Score
    """As `toward`, likewise."""
    difference: Score
    """`moved` less `baseline_moved`, image by image."""

    def verdict(self, column: str) -> str:
        """A sentence without a full stop; it says that the classifier follows the column where that is shown alone."""
        if self.difference.interval is None:
            return f"Of {column} nothing is said, as there is one image alone"
        low, high = (float(end) for end in self.difference.interval)
        if low <= COUNTS and high >= -COUNTS:
            found = f"{self.difference.value:+.2f}, {low:+.2f} to {high:+.2f}; it counts beyond {COUNTS}"
            return f"Of {column} no difference is shown ({found})"
        start, more = (
            ("The classifier follows", "more") if low > 0 else ("Nothing shows that the classifier follows", "less")
        )
        low, high = sorted((abs(low), abs(high)))
        return (
            f"{start} {column}: the explanation moves {column} by {abs(self.difference.value):.2f} "
            f"{more} than that of a classifier trained on balanced data ({low:.2f} to {high:.2f})"
        )


def drag(
    lower: np.ndarray,
    upper: np.ndarray,
    baseline_lower: np.ndarray,
    baseline_upper: np.ndarray,
    value: int,
) -> Drag:
    """How far the explanation of a classifier drags a column along, beside that of one trained on balanced data.

        moved = mean over images of 1/2 sum over values v of |g_v(upper) - g_v(lower)|
        toward = mean over images of g_value(upper) - g_value(lower)

    Args:
        lower: (image, value), what an oracle g of the column says of each image where the classifier was wanted to be
            least sure.
        upper: And where it was wanted to be surest.
        baseline_lower: The same of the same images, as the other classifier's explanation has them.
        baseline_upper: Likewise.
        value: The value of the column that goes with the class, from 0; see `value_with`.

    Returns:
        The means, with 95 % bootstrap intervals over images.

    Raises:
        InputError: The arrays are not of the same shape, empty, or no probabilities; or there is no such value.

    *Source*: Singla et al. 2020, Explanation by progressive exaggeration, section 4.4
    (https://arxiv.org/abs/1911.00483); the paired difference is vaelab's own.

    >>> lower, upper = np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([[0.2, 0.8], [0.3, 0.7]])
    >>> found = drag(lower, upper, lower, lower, 1)
    >>> round(found.moved.value, 6), round(found.toward.value, 6), found.baseline_moved.value
    (0.5, 0.5, 0.0)
    """
    given = {"lower": lower, "upper": upper, "baseline_lower": baseline_lower, "baseline_upper": baseline_upper}
    ends = {name: _checked(name, array, np.shape(lower)) for name, array in given.items()}
    if not 0 <= value < ends["lower"].shape[1]:
        raise InputError("value", f"be from 0 to {ends['lower'].shape[1] - 1}", value)
    changes = [ends["upper"] - ends["lower"], ends["baseline_upper"] - ends["baseline_lower"]]
    moved, baseline = (np.abs(change).sum(1) / 2 for change in changes)
    toward, baseline_toward = (change[:, value] for change in changes)
    return Drag(
        moved=mean_score(moved, _UNIT, null=0.0, ceiling=1.0),
        toward=mean_score(toward, _UNIT, null=0.0, ceiling=1.0),
        baseline_moved=mean_score(baseline, _UNIT, null=0.0, ceiling=1.0),
        baseline_toward=mean_score(baseline_toward, _UNIT, null=0.0, ceiling=1.0),
        difference=mean_score(moved - baseline, _UNIT, null=0.0),
    )


def value_with(is_class: Mask, values: Classes) -> int:
    """The value of a column that goes with the class: the one whose share in the class exceeds that elsewhere most.

    Args:
        is_class: Whether each image is of the class; some are and some are not.
        values: The column's value of each, from 0.

    >>> value_with(np.array([True, True, False, False]), np.array([0, 1, 0, 0]))
    1
    """
    count = int(values.max()) + 1
    inside, outside = (np.bincount(values[of], minlength=count) / max(of.sum(), 1) for of in (is_class, ~is_class))
    return int((inside - outside).argmax())


def balanced(is_class: Mask, values: Classes, seed: int = 0) -> np.ndarray:
    """The places of images among which class and column are independent: of each value as many of the class as not.

    As many as there are of the rarer side of each value are drawn; a value that one side lacks is left out.

    Args:
        is_class: Whether each image is of the class.
        values: The column's value of each, from 0; below 0 where it is not known.
        seed: Of the draw.

    Returns:
        (place,), rising; none where class and column go together wholly.

    >>> balanced(np.array([True, False, False, True]), np.array([0, 0, 0, 1])).size
    2
    """
    draw, found = np.random.default_rng(seed), [np.arange(0)]
    for value in np.unique(values[values >= 0]):
        sides = [np.flatnonzero((values == value) & side) for side in (is_class, ~is_class)]
        count = min(map(len, sides))
        found += [draw.permutation(side)[:count] for side in sides]
    return np.sort(np.concatenate(found))


def accuracy_over_cells(right: Mask, told: Classes, beside: Classes) -> Score:
    """The share that a classifier tells rightly, each pair of what it tells and of what stands beside counting alike.

    So one that tells a column by the class alone, to which it belongs, is no better than chance; and the reverse.

    Args:
        right: Whether each image is told rightly; of one image at least.
        told: What it is, from 0.
        beside: Its value of the other, from 0.

    Returns:
        The share, with a bootstrap interval over images; its null is that of the best answer by the other alone.

    >>> by_class = accuracy_over_cells(np.array([True] * 9 + [False]), np.array([0] * 9 + [1]), np.zeros(10, int))
    >>> by_class.value, by_class.null
    (0.5, 0.5)
    """
    _, cell, counts = np.unique(np.stack([told, beside]), axis=1, return_inverse=True, return_counts=True)
    weights = 1.0 / counts[cell.ravel()]
    ends = interval_of_means(np.stack([right * weights, weights], 1), lambda means: means[:, 0] / means[:, 1])
    return Score(
        value=float((right * weights).sum() / len(counts)),
        unit="share of images",
        count=len(right),
        interval=ends,
        null=len(np.unique(beside)) / len(counts),
        ceiling=1.0,
    )


def _checked(name: str, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """In float64.

    Raises:
        InputError: They are no probabilities, or of another shape than the first.
    """
    found = np.asarray(array, np.float64)
    if found.shape != shape or found.ndim != 2 or not found.size:
        should = "have a row for each image and a column for each value, as the others"
        raise InputError(name, should, f"the shape {found.shape}")
    if not np.isfinite(found).all() or found.min() < -_ROUNDING or np.abs(found.sum(1) - 1).max() > _ROUNDING:
        raise InputError(name, "be probabilities, each row of which sums to 1", "other numbers")
    return found
