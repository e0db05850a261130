"""What a column says of a run's images, and which of them a classifier learns it from and is judged by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vaelab.data.conditions import as_words
from vaelab.errors import InputError, unknown_name
from vaelab.runs.read import Run

MOST_CLASSES, MANY_NUMBERS = 100, 20


@dataclass(frozen=True, eq=False, kw_only=True)
class Parts:
    """Rows of a run's images."""

    train: np.ndarray
    """To learn from."""
    validation: np.ndarray
    """To calibrate with."""
    judged: np.ndarray
    """To be judged by."""
    name: str
    """Of the part that judges: test, or validation where there is no other."""

    @property
    def digest(self) -> str:
        """Of all three."""
        rows = (self.train, self.validation, self.judged)
        return hashlib.sha256(b"|".join(each.tobytes() for each in rows)).hexdigest()


@dataclass(frozen=True, eq=False, kw_only=True)
class Target:
    """What is to be told of images."""

    column: str
    """Its name in the table."""
    classes: tuple[str, ...]
    """Those that training images have, in order; none for a number."""
    mean: float
    """Of a number, over the training images."""
    scale: float
    """Its standard deviation there."""
    values: np.ndarray
    """(image of the collection,): the number, or the class from 0, -1 where no training image has it; not a number
    where nothing is known."""
    units: np.ndarray | None
    """(image of the collection,): numbers from 0 of what belongs together; below 0 where that is not known."""
    parts: Parts
    """Which images."""
    notes: tuple[str, ...]
    """What a reader should know of it, a sentence each, without a full stop."""


def target_of(run: Run, label: str, group: str | None = None) -> Target:
    """What a column of the run's table says, and the rows for it, by the run's own split.

    A column of numbers, more than 20 different ones, is a number, any other one classes; ``name:category`` and
    ``name:number`` say it.

    Args:
        run: The run.
        label: The column; images without a value in it are left out.
        group: A column that says what belongs together, such as a plate: training images of held-out groups are left
            out, as are validation images of those in the test part.

    Raises:
        InputError: A column is not there or not such, or nothing is left to learn from or to judge by.
    """
    table = run.dataset.collection.table
    column, _, kind = label.rpartition(":") if label.endswith((":category", ":number")) else (label, "", "")
    column, kind = (label, "") if label in table else (column, kind)
    for what, name in (("label", column), ("group", group)):
        if name is not None and name not in table:
            raise unknown_name(what, name, map(str, table.columns))
    units = None if group is None else pd.factorize(table[group])[0]
    values = pd.Series(table[column])
    known = _known(values, kind) & (True if units is None else units >= 0)
    notes = []
    if missing := int((~known).sum()):
        of = f"{column!r}" if group is None else f"{column!r} or {group!r}"
        notes.append(f"{missing:,} images without a value in {of} are left out")
    parts = _parts(run, known, units, column, group or "", notes)
    numeric = pd.api.types.is_numeric_dtype(table[column]) and not pd.api.types.is_bool_dtype(table[column])
    different = table[column].iloc[parts.train].nunique()
    is_number = kind == "number" or (not kind and numeric and different > MANY_NUMBERS)
    if is_number and not kind:
        notes.append(f"{column!r} has {different:,} different numbers and is predicted as a number")
    elif numeric and not kind and not (table[column].iloc[parts.train] % 1 == 0).all():
        more = f"--label {column}:number predicts the number"
        notes.append(f"{column!r} has {different:,} different numbers, told apart as classes; {more}")
    said = _number(values, parts) if is_number else _classes(values, numeric, parts, notes)
    return Target(column=column, units=units, parts=parts, notes=tuple(notes), **said)


def _known(column: pd.Series, kind: str) -> np.ndarray:
    """(image,): whether there is a value.

    Raises:
        InputError: It is none of a number, where it should be.
    """
    known = column.notna().to_numpy()
    if kind == "number":
        numbers = pd.Series(pd.to_numeric(column, errors="coerce"))
        if (odd := known & numbers.isna().to_numpy()).any():
            got = f"{column[odd].iloc[0]!r} in {str(column.name)!r}"
            raise InputError("label", "be a column of numbers", got, f"Or say {column.name}:category.")
    return known & np.isfinite(column.to_numpy(float)) if pd.api.types.is_float_dtype(column) else known


def _parts(run: Run, known: np.ndarray, units: np.ndarray | None, column: str, group: str, notes: list[str]) -> Parts:
    """The run's split, without images of which nothing is known and those of groups that are held out."""
    splits = run.splits
    train, validation, test = (rows[known[rows]] for rows in (splits.train, splits.validation, splits.test))
    if not len(test) and not len(validation):
        mend = "Train the run with --data.split.test 0.1, or take another column."
        raise InputError("the run", f"hold out images with a value in {column!r}", "none", mend)
    if units is not None:
        held_out, before = units[np.concatenate([validation, test])], len(train)
        validation = validation[~np.isin(units[validation], units[test])]
        train = train[~np.isin(units[train], held_out)]
        if before and not len(train):
            should, got = f"leave training images whose {group} is in no held-out part", f"none of {before:,}"
            mend = f"Train the run with --data.split.group {group}."
            raise InputError("group", should, got, mend)
        if len(train) < before:
            notes.append(
                f"{before - len(train):,} of {before:,} training images are left out, as their {group} is in held-out "
                f"images, too; {len(train):,} are left"
            )
    if not len(train):
        mend = "Of a selection that was kept in the explorer: keep one of all images, vaelab explore RUN --on all."
        raise InputError("label", "have a value for some training images", "none", mend)
    judged, name = (test, "test") if len(test) else (validation, "validation")
    if units is not None and len(np.unique(units[judged])) == 1:
        notes.append(f"all {name} images are of one {group}, so that there are no intervals")
    if name == "validation":
        notes.append("it is judged by the validation images, as the run has no others")
    return Parts(train=train, validation=validation, judged=judged, name=name)


def _number(column: pd.Series, parts: Parts) -> dict:
    """What is said of a number."""
    values = np.asarray(pd.to_numeric(column, errors="coerce"), np.float64)
    mean, scale = float(values[parts.train].mean()), float(values[parts.train].std())
    if not scale > 1e-12 * abs(mean):
        raise InputError("label", "differ among the training images", f"{mean:g} for all {len(parts.train):,}")
    return {"values": values, "classes": (), "mean": mean, "scale": scale}


def _classes(column: pd.Series, numeric: bool, parts: Parts, notes: list[str]) -> dict:
    """What is said of classes."""
    classes = sorted({*as_words(column.iloc[parts.train])}, key=_in_order)
    if not 2 <= len(classes) <= MOST_CLASSES:
        got = f"{len(classes):,}" if len(classes) > 1 else f"{classes[0]!r} alone"
        mend = (f"Say {column.name}:number to predict it." if numeric else "Take a coarser column.") * (
            len(classes) > 1
        )
        raise InputError("label", f"have 2 to {MOST_CLASSES} classes among the training images", got, mend)
    place = {word: i for i, word in enumerate(classes)}
    values = np.array([place.get(word, -1) for word in as_words(column)], np.float64)
    values[column.isna().to_numpy()] = np.nan
    unseen = parts.judged[values[parts.judged] < 0]
    if len(unseen):
        names = sorted({*as_words(column.iloc[unseen])}, key=_in_order)
        named = ", ".join(map(repr, names[:3])) + " and others" * (len(names) > 3)
        notes.append(f"{len(unseen):,} {parts.name} images are errors, as no training image is of their kind: {named}")
    return {"values": values, "classes": tuple(classes), "mean": 0.0, "scale": 1.0}


def _in_order(word: str) -> tuple[bool, float, str]:
    """Numbers by their size, before words."""
    try:
        return False, float(word), word
    except ValueError:
        return True, 0.0, word
