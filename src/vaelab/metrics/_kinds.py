"""What metrics of codes and kinds have in common: the images that can be used, and scores of what was right."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from vaelab.errors import InputError
from vaelab.metrics._resample import interval_of_means
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._truth import chosen

_FEWEST_IMAGES = 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Known:
    """Images in an order that follows from their values, so that no score depends on how they were given."""

    codes: np.ndarray
    """(image, latent), float64."""
    kinds: np.ndarray
    """(image,): numbers from 0."""
    names: tuple[str, ...]
    """Of the kinds."""
    units: np.ndarray
    """(image,): numbers from 0 of what belongs together; each image on its own where nothing is said."""
    others: np.ndarray
    """(image,): numbers from 0 of what those lie in."""
    reason: str = ""
    """Why nothing can be measured."""

    def without(self, reason: str) -> Known:
        """The same, of which nothing can be measured."""
        return replace(self, reason=reason)

    def nothing(self, unit: str) -> list[Score]:
        """The score without a number, for the reason there is."""
        return [no_score(self.reason, unit, len(self.codes))]


def known_kinds(
    codes: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray | None = None,
    others: np.ndarray | None = None,
    *,
    what: str = "labels",
    others_name: str = "batches",
    most: int = 10_000,
    fewest_kinds: int = 2,
) -> Known:
    """The images that a metric of codes and kinds looks at.

    Args:
        codes: (image, latent).
        labels: (image,), anything that can be told apart.
        groups: (image,) which images belong together; left out, each is on its own.
        others: (image,) which groups belong together.
        what: The labels' name.
        others_name: The others' name.
        most: A random draw of so many images at most.
        fewest_kinds: Of the labels.

    Raises:
        InputError: There is not one for each image, or a value is missing.
    """
    z = np.asarray(codes, np.float64)
    kinds, names = _numbered(labels, len(z), what)
    units = np.arange(len(z)) if groups is None else _numbered(groups, len(z), "groups")[0]
    lie_in = np.zeros(len(z), int) if others is None else _numbered(others, len(z), others_name)[0]
    if len(z):
        rows = chosen(np.lexsort((lie_in, *(() if groups is None else (units,)), kinds, *z.T)), most)
        z, kinds, lie_in = z[rows], kinds[rows], lie_in[rows]
        units = np.arange(len(z)) if groups is None else np.unique(units[rows], return_inverse=True)[1]
    reason = ""
    if len(z) < _FEWEST_IMAGES:
        reason = f"there are fewer than {_FEWEST_IMAGES} images"
    elif not np.isfinite(z).all():
        reason = "a code is not finite"
    elif len(np.unique(kinds)) < fewest_kinds:
        reason = "all images are of one kind" if what == "labels" else "all images are of one group"
    return Known(codes=z, kinds=kinds, names=names, units=units, others=lie_in, reason=reason)


def _numbered(kinds: np.ndarray, num_images: int, what: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(image,) numbers from 0 in the order of the kinds' names, and the names."""
    if len(kinds) != num_images:
        raise InputError(what, f"be one for each of {num_images} images", len(kinds))
    numbers, found = pd.factorize(np.asarray(kinds))
    if len(numbers) and numbers.min() < 0:
        raise InputError(what, "have a value for every image", "missing ones", "Leave those images out.")
    names = [str(name) for name in found]
    order = np.argsort(names, kind="stable")
    return np.argsort(order)[numbers], tuple(names[i] for i in order)


def mean_of_units(
    values: np.ndarray,
    units: np.ndarray,
    unit: str,
    *,
    part: str = "",
    null: float | None = None,
    ceiling: float | None = None,
) -> Score:
    """The mean over images as a Score, its interval being that of a draw of units, whole."""
    sums = np.stack([np.bincount(units, values), np.bincount(units)], axis=1)
    interval = interval_of_means(sums[sums[:, 1] > 0], lambda means: means[:, 0] / means[:, 1])
    return Score(
        part=part,
        value=float(values.mean()),
        unit=unit,
        count=len(values),
        interval=interval,
        null=null,
        ceiling=ceiling,
    )
