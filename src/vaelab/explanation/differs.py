"""In which of what is known of them two groups of images differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from vaelab.errors import InputError

NEGLIGIBLE = 0.2
"""In standard deviations: a difference that is not shown to be larger is not said."""
FEWEST = 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Differing:
    """How much more one group of images has of what is known than another, in standard deviations of both together."""

    names: tuple[str, ...]
    """Of what is known."""
    means: np.ndarray
    """(2, name): of each group, as they are; of kinds the share of images."""
    counts: np.ndarray
    """(2, name): images of each group that have a value."""
    spread: np.ndarray
    """(name,): the standard deviation over both groups together."""
    differences: np.ndarray
    """(name,): the first group's mean less the second's, in spreads; not a number where a group has fewer than two
    images with a value, or nothing varies."""
    low: np.ndarray
    """(name,): the lower end of its interval; those of all names hold together with 95 %."""
    high: np.ndarray
    """(name,): the upper end."""

    @property
    def shown(self) -> np.ndarray:
        """(name,): True where the interval lies beyond 0.2 spreads in either direction."""
        return (self.low > NEGLIGIBLE) | (self.high < -NEGLIGIBLE)


def differs(first: pd.DataFrame, second: pd.DataFrame) -> Differing:
    """Which numbers two groups of images differ in, with intervals.

        of numbers:      m1 - m2 -+ t sqrt(v1 / n1 + v2 / n2),  t of Welch's degrees of freedom
        of 0 and 1:      the same of shares p = (x + 1) / (n + 2), with v / n = p (1 - p) / (n + 2), and the normal z
        both             at the level 0.05 / names (Bonferroni), divided by the spread of both groups together

    The images of each group are taken as drawn one by one: where those of a well or a plate are alike the intervals
    are too narrow, and groups that were chosen by a number differ in that number because they were.

    Args:
        first: A row for each image of one group, columns of numbers; see `vaelab.explanation.follows.numbers_of`.
        second: The same columns of the other.

    Raises:
        InputError: The columns are not the same.

    *Source*: Welch 1947, https://doi.org/10.1093/biomet/34.1-2.28; Agresti and Caffo 2000,
    https://doi.org/10.1080/00031305.2000.10474560 (shares).

    >>> random = np.random.default_rng(0)
    >>> one, other = ({"size": random.normal(m, 1, 90), "turn": random.normal(0, 1, 90)} for m in (2, 0))
    >>> differs(pd.DataFrame(one), pd.DataFrame(other)).shown.tolist()
    [True, False]
    """
    if list(first.columns) != list(second.columns):
        raise InputError("second", f"have the columns {list(first.columns)}", list(second.columns))
    pairs = zip(first.to_numpy(np.float64).T, second.to_numpy(np.float64).T, strict=True)
    found = [_one(a, b, first.shape[1]) for a, b in pairs]
    parts = np.array(found, np.float64).reshape(-1, 8).T
    return Differing(
        names=tuple(map(str, first.columns)), means=parts[:2], counts=parts[2:4].astype(int), spread=parts[4],
        differences=parts[5], low=parts[6], high=parts[7],
    )  # fmt: skip


def _one(a: np.ndarray, b: np.ndarray, num_names: int) -> tuple[float, ...]:
    """Means, counts, spread, difference and interval of one column."""
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    both = np.concatenate([a, b])
    means = [float(group.mean()) if len(group) else np.nan for group in (a, b)]
    spread = float(both.std()) if len(both) else np.nan
    head = (*means, len(a), len(b), spread)
    if min(len(a), len(b)) < FEWEST or not spread > 1e-12 * max(1e-300, float(np.abs(both).max())):
        return (*head, np.nan, np.nan, np.nan)
    tail = 0.025 / num_names
    if np.isin(both, (0.0, 1.0)).all():
        shares = [(group.sum() + 1) / (len(group) + 2) for group in (a, b)]
        middle = shares[0] - shares[1]
        errors = [share * (1 - share) / (len(group) + 2) for share, group in zip(shares, (a, b), strict=True)]
        half = -ndtri(tail) * np.sqrt(sum(errors))
    else:
        middle = means[0] - means[1]
        errors = [group.var(ddof=1) / len(group) for group in (a, b)]
        below = sum(e**2 / (len(group) - 1) for e, group in zip(errors, (a, b), strict=True))
        freedom = sum(errors) ** 2 / below if below else np.inf
        half = -stdtrit(freedom, tail) * np.sqrt(sum(errors))
    return (*head, (means[0] - means[1]) / spread, (middle - half) / spread, (middle + half) / spread)
