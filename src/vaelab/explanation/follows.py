"""What is known of real images that goes with a latent: columns of their table, and what is measured of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from vaelab.errors import InputError

NEGLIGIBLE = 0.1
"""A correlation that is not shown to be larger is not said."""
FEWEST, MOST_KINDS = 10, 20


@dataclass(frozen=True, eq=False, kw_only=True)
class Followed:
    """Rank correlations of where real images lie on directions with what is known of these images."""

    directions: tuple[str, ...]
    """Their names."""
    names: tuple[str, ...]
    """Of what is known."""
    correlations: np.ndarray
    """(direction, name): Spearman's; not a number where one of both does not vary, or of fewer than 10 images."""
    low: np.ndarray
    """(direction, name): the lower end of its interval; those of all names of a direction hold together with 95 %."""
    high: np.ndarray
    """(direction, name): the upper end."""

    @property
    def shown(self) -> np.ndarray:
        """(direction, name): True where the interval lies beyond 0.1 in either direction."""
        return (self.low > NEGLIGIBLE) | (self.high < -NEGLIGIBLE)

    def strongest(self, direction: int, count: int = 3) -> list[int]:
        """The names that go with a direction most, those that are shown."""
        sizes = np.where(self.shown[direction], np.abs(self.correlations[direction]), -1)
        return [place for place in np.argsort(-sizes, kind="stable")[:count].tolist() if sizes[place] >= 0]


def follows(places: np.ndarray, known: pd.DataFrame, directions: Sequence[str] = ()) -> Followed:
    """How far each direction goes with each column of numbers, over the images that have both.

        interval: tanh(atanh(r) -+ z sqrt((1 + r^2 / 2) / (n - 3))),  z the quantile for all columns (Bonferroni)

    It is over images: where those of a well or a plate are alike it is too narrow.

    Args:
        places: (image, direction), where the images' codes lie.
        known: A row for each image, of numbers; see `numbers_of`.
        directions: Their names; left out, numbers.

    Raises:
        InputError: There is not a row for each image.

    *Source*: Spearman 1904; Bonett and Wright 2000, https://doi.org/10.1007/BF02294183 (the interval).

    >>> z = np.arange(30.0)[:, None]
    >>> found = follows(z, pd.DataFrame({"size": z[:, 0] ** 3, "turn": np.tile([0.0, 1.0, 0.0], 10)}))
    >>> found.correlations.round(2).tolist(), found.shown.tolist()
    ([[1.0, 0.0]], [[True, False]])
    """
    from scipy.stats import rankdata  # here, because it takes as long to import as torch

    if len(known) != len(places):
        raise InputError("known", f"have a row for each of {len(places)} images", len(known))
    found = np.full((places.shape[1], known.shape[1]), np.nan)
    counts = np.zeros(known.shape[1], int)
    for j, column in enumerate(known.to_numpy(np.float64).T):
        there = np.isfinite(column)
        counts[j] = there.sum()
        if counts[j] < FEWEST or np.ptp(column[there]) == 0:
            continue
        ranks, own = rankdata(column[there]), rankdata(places[there], axis=0)
        ranks, own = ranks - ranks.mean(), own - own.mean(0)
        size = np.linalg.norm(own, axis=0) * np.linalg.norm(ranks)
        found[:, j] = np.divide(ranks @ own, size, out=np.full(len(size), np.nan), where=size > 0).clip(-1, 1)
    half = -ndtri(0.025 / max(known.shape[1], 1)) * np.sqrt((1 + found**2 / 2) / np.maximum(counts - 3, 1))
    middle = np.arctanh(found.clip(-1 + 1e-12, 1 - 1e-12))
    return Followed(
        directions=tuple(directions) or tuple(map(str, range(len(found)))),
        names=tuple(map(str, known.columns)),
        correlations=found,
        low=np.tanh(middle - half),
        high=np.tanh(middle + half),
    )


def numbers_of(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of a table as numbers: a column of kinds as one of 0 and 1 for each kind, ``moa = taxol``.

    Of kinds there are 2 to 20, each of two images or more; of two kinds the second alone stands there. Columns of more
    kinds, such as names of files, are left out, as are those that don't vary.

    >>> numbers_of(pd.DataFrame({"dose": [0.1, 0.2, 0.3, 0.4], "kind": [*"abab"], "file": [*"wxyz"]}))
       dose  kind = b
    0   0.1       0.0
    1   0.2       1.0
    2   0.3       0.0
    3   0.4       1.0
    """
    found: dict[str, np.ndarray] = {}
    for name, column in table.items():
        is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        kinds = column.value_counts()
        if is_number and (len(kinds) > MOST_KINDS or pd.api.types.is_float_dtype(column)):
            found[str(name)] = column.to_numpy(np.float64, na_value=np.nan)
        elif 2 <= len(kinds) <= MOST_KINDS and kinds.max() > 1:
            repeated = sorted((kind for kind, count in kinds.items() if count > 1), key=str)
            missing = column.isna().to_numpy()
            for kind in repeated[len(kinds) == 2 == len(repeated) :]:
                found[f"{name} = {kind}"] = np.where(missing, np.nan, (column == kind).to_numpy(float))
    return pd.DataFrame(found, index=pd.RangeIndex(len(table)))
