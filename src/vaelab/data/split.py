"""Which images train, which stop the training, which judge the result: by share, group, class or a given column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from vaelab.errors import InputError, unknown_name
from vaelab.settings.ranges import AtLeast0, NotNegative, Settings

PARTS = ("train", "validation", "test")
BY_FILE = "by_file"


@dataclass(frozen=True, eq=False, kw_only=True)
class Splits:
    """Row numbers of the three parts, each sorted; every image is in one of them."""

    train: np.ndarray
    """Rows (int64) that the parameters are fitted to."""
    validation: np.ndarray
    """Rows (int64) that choose: early stopping, settings. May be empty."""
    test: np.ndarray
    """Rows (int64) that judge, once. May be empty."""


@dataclass(frozen=True, kw_only=True)
class Split(Settings):
    """The setting of how images are divided into train, validation and test."""

    validation: NotNegative = 0.1
    """Share of all images (below 1) or number of images (1 or more) for validation; with `column`, taken out of train
    where the column has no validation rows."""
    test: NotNegative = 0.1
    """Share of all images (below 1) or number of images (1 or more) for testing. Not read with `column`."""
    group: str | None = BY_FILE
    """Column whose groups are never divided, such as plate, well, donor or source image. by_file: where a file gives
    several images, such as the frames of a stack, they stay together, as far as there are files enough for every part.
    none: each image is drawn alone."""
    stratify: str | None = None
    """Column whose classes appear in every part in the same shares; a missing value is a class of its own."""
    column: str | None = None
    """Column that says the part of each image: train, validation or test."""
    seed: AtLeast0 = 0
    """Seed of the draw: the same seed on the same table gives the same parts."""

    def __post_init__(self):
        super().__post_init__()
        for name in ("validation", "test"):
            size = getattr(self, name)
            if size >= 1 and size != int(size):
                raise InputError(name, "be a share from 0 to below 1, or a whole number of images", size)
        if self.validation < 1 and self.test < 1 and self.validation + self.test >= 1:
            got = f"{self.validation:g} + {self.test:g}"
            raise InputError("validation", "sum with test to less than 1", got, "Nothing is left to train on.")

    def assign(self, table: pd.DataFrame, files: np.ndarray | None = None) -> Splits:
        """The rows of each part, the same for the same table and seed.

        Groups are drawn whole, so that sizes are met as nearly as the groups allow; single images meet them exactly.

        Args:
            table: One row per image.
            files: A number per image, the same for the images of one file; None: each has its own.

        Raises:
            InputError: An unknown column, a missing value, too few images, groups or members of a class.
        """
        grouped = self.group is not None and self.group != BY_FILE
        for field in ("group", "stratify", "column") if grouped else ("stratify", "column"):
            name = getattr(self, field)
            if name is not None and name not in table.columns:
                raise unknown_name(field, name, map(str, table.columns))
        if grouped:
            return self._assign(table, pd.Series(table[self.group]))
        if self.group == BY_FILE and files is not None and len(np.unique(files)) < len(files):
            try:
                return self._assign(table, pd.Series(files))
            except InputError:  # too few files: images are drawn, and whoever trains is told which files are divided
                pass
        return self._assign(table, None)

    def _assign(self, table: pd.DataFrame, groups: pd.Series | None) -> Splits:
        part = np.zeros(len(table), np.int64) if self.column is None else self._given(pd.Series(table[self.column]))
        sizes = {1: self._size("validation", int((part == 0).sum())), 2: self._size("test", len(table))}
        if self.column is not None:
            sizes = {1: 0 if (part == 1).any() else sizes[1], 2: 0}
        self._draw(table, groups, part, sizes)
        if not (part == 0).any():
            got = f"none of {len(table):,} images"
            raise InputError("validation", "leave images to train on", got, "Make validation and test smaller.")
        return Splits(**{name: np.flatnonzero(part == i).astype(np.int64) for i, name in enumerate(PARTS)})

    def _size(self, name: str, count: int) -> int:
        size = getattr(self, name)
        return int(size) if size >= 1 or size == 0 else max(1, round(size * count))

    def _given(self, column: pd.Series) -> np.ndarray:
        codes = column.map({name: i for i, name in enumerate(PARTS)})
        if codes.isna().any():
            wrong = column.tolist()[int(np.argmax(codes.isna().to_numpy()))]
            what = f"column '{self.column}'"
            got = f"{'a missing value' if pd.isna(wrong) else repr(wrong)} among them"
            raise InputError(what, "hold only train, validation and test", got, "Correct it, or leave column out.")
        return codes.to_numpy(np.int64)

    def _draw(self, table: pd.DataFrame, groups: pd.Series | None, part: np.ndarray, sizes: dict[int, int]) -> None:
        """Moves as many of the training rows into parts 1 and 2 as `sizes` says, in place."""
        unit = np.arange(len(table)) if groups is None else self._units(groups, part)
        sizes = {p: size for p, size in sizes.items() if size}
        if not sizes:
            return
        rows = np.flatnonzero(part == 0)
        if sum(sizes.values()) >= len(rows):
            got = f"{sum(sizes.values()):,} of {len(rows):,}"
            mend = "Make both smaller, or one of them 0."
            raise InputError("validation", "leave with test images to train on", got, mend)
        units, weight = np.unique(unit[rows], return_counts=True)
        classes = self._classes(table, groups is not None, rows, unit[rows], len(sizes) + 1)
        generator = np.random.default_rng(self.seed)
        remaining = [generator.permutation(np.flatnonzero(classes == c)) for c in range(classes.max() + 1)]
        for p, size in sizes.items():
            total = np.array([weight[members].sum() for members in remaining])
            targets = _apportion(size, total).tolist()
            for c, target in enumerate(targets):
                later = sum(q > p for q in sizes) + 1
                taken = _fill(weight[remaining[c]], target, len(remaining[c]) - later)
                part[np.isin(unit, units[remaining[c][taken]]) & (part == 0)] = p
                remaining[c] = remaining[c][~taken]

    def _units(self, groups: pd.Series, part: np.ndarray) -> np.ndarray:
        """The number of the group that each row belongs to."""
        codes, _ = pd.factorize(groups)
        if (codes < 0).any():
            got = f"{int((codes < 0).sum()):,} missing"
            raise InputError(f"group '{self.group}'", "have a value for every image", got)
        per_group = pd.Series(part).groupby(codes).nunique()
        if (per_group > 1).any():
            name = groups.tolist()[int(np.argmax(codes == int(per_group.to_numpy().argmax())))]
            what = f"column '{self.column}'"
            raise InputError(what, f"keep each group of '{self.group}' in one part", f"group {name!r} in several")
        return codes

    def _classes(
        self, table: pd.DataFrame, grouped: bool, rows: np.ndarray, unit: np.ndarray, parts: int
    ) -> np.ndarray:
        """The class of each unit, by its commonest row; refused where a class has too few units for every part."""
        what = "groups" if grouped else "images"
        count = len(np.unique(unit))
        if self.stratify is None:
            if count < parts:
                name = f"group '{self.group}'" if grouped else "the images"
                raise InputError(name, f"give at least {parts} {what}, one for each part", count)
            return np.zeros(count, np.int64)
        codes, names = pd.factorize(table[self.stratify].iloc[rows], use_na_sentinel=False)
        tally = pd.crosstab(unit, codes).to_numpy()
        classes = pd.factorize(tally.argmax(axis=1))[0] if grouped else codes
        smallest = np.bincount(classes)
        if smallest.min() < parts:
            name = names[tally.argmax(axis=1)[np.flatnonzero(classes == smallest.argmin())[0]]]
            got = f"{smallest.min()} for {name!r}"
            mend = "Merge rare classes or stratify by a coarser column."
            raise InputError(f"stratify '{self.stratify}'", f"give every class at least {parts} {what}", got, mend)
        return classes


def _apportion(size: int, total: np.ndarray) -> np.ndarray:
    """`size` images shared among classes of `total` images by largest remainder, at least one each where that fits."""
    quota = size * total / total.sum()
    count = np.floor(quota).astype(np.int64)
    least = int(size >= len(total))
    count = np.maximum(count, least)
    while count.sum() < size:
        count[np.argmax(quota - count)] += 1
    while count.sum() > size:
        count[np.argmax(np.where(count > least, count - quota, -np.inf))] -= 1
    return count


def _fill(weight: np.ndarray, target: int, most: int) -> np.ndarray:
    """Which of the units, taken in order, to come near `target` images: at least one, at most `most` units.

    Each that still fits, then the one that is too large where it brings the sum nearer.
    """
    chosen = np.zeros(len(weight), bool)
    if target == 0 or most < 1:
        return chosen
    total = count = 0
    for i, size in enumerate(weight.tolist()):
        if total + size <= target:
            chosen[i], total, count = True, total + size, count + 1
        if total == target or count == most:
            return chosen
    last = int(np.argmin(np.where(chosen, np.inf, np.abs(total + weight - target))))
    chosen[last] |= count == 0 or abs(total + weight[last] - target) < target - total
    return chosen
