"""Columns of the table as numbers that a model is given beside an image: its condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vaelab.errors import InputError, unknown_name
from vaelab.settings.ranges import Finite, Positive, Settings

MANY = 1000
"""More categories than this are taken for a mistake."""


@dataclass(frozen=True, kw_only=True)
class Condition(Settings):
    """One column, as its training images have it."""

    column: str
    """Its name in the table."""
    categories: tuple[str, ...] = ()
    """What it says of images, in words and in order; none for a column of numbers."""
    mean: Finite = 0.0
    """Of a column of numbers, over the training images."""
    scale: Positive = 1.0
    """Its standard deviation there, or 1 where all are equal."""

    @property
    def names(self) -> tuple[str, ...]:
        """What each of its numbers stands for."""
        return tuple(f"{self.column}={category}" for category in self.categories) or (self.column,)

    def encode(self, values: Sequence | pd.Series) -> np.ndarray:
        """(image, number): one-hot for categories; (value - mean) / scale for numbers.

        Raises:
            InputError: A category that no training image had, or a value that is missing or no number.
        """
        if not self.categories:
            numbers = np.asarray(pd.to_numeric(pd.Series(values), errors="coerce"), np.float64)
            if not np.isfinite(numbers).all():
                wrong = list(values)[int(np.argmin(np.isfinite(numbers)))]
                raise InputError(f"column {self.column!r}", "hold a number for every image", repr(wrong))
            return ((numbers - self.mean) / self.scale)[:, None].astype(np.float32)
        words = as_words(values)
        unknown = next((word for word in words if word not in self.categories), None)
        if unknown is not None:
            raise unknown_name(f"column {self.column!r}", unknown, self.categories)
        codes = np.array([self.categories.index(word) for word in words])
        return np.eye(len(self.categories), dtype=np.float32)[codes]


def fit_conditions(columns: Sequence[str], table: pd.DataFrame, train: np.ndarray) -> tuple[Condition, ...]:
    """The conditions that columns of a table amount to, by their training rows.

    A column of text, true and false or whole numbers is one of categories, any other one of numbers; ``name:category``
    and ``name:number`` say it.

    Args:
        columns: Their names.
        table: One row per image.
        train: Rows to measure on; a category that only other rows have is refused.

    Raises:
        InputError: A column is not there, or is neither.

    >>> table = pd.DataFrame({"drug": ["a", "b", "a"], "dose": [0.0, 1.5, 3.0]})
    >>> [c.names for c in fit_conditions(("drug", "dose"), table, np.arange(3))]
    [('drug=a', 'drug=b'), ('dose',)]
    """
    found = []
    for name in columns:
        column, _, kind = name.rpartition(":") if name.endswith((":category", ":number")) else (name, "", "")
        if column not in table.columns:
            raise unknown_name("data.condition", column, map(str, table.columns))
        values = pd.Series(table[column])
        is_number = kind == "number" or (not kind and pd.api.types.is_float_dtype(values))
        found.append(_fit_number(column, values, train) if is_number else _fit_category(column, values, train))
        found[-1].encode(values)
    return tuple(found)


def encode_conditions(conditions: Sequence[Condition], table: pd.DataFrame) -> np.ndarray:
    """(image, number): all conditions of every row of a table, side by side.

    Raises:
        InputError: A column is missing, or holds what no training image had.
    """
    parts = []
    for condition in conditions:
        if condition.column not in table.columns:
            known = ", ".join(map(str, table.columns)) or "none"
            should = f"have the column {condition.column!r}, under which the model was trained"
            raise InputError("the images' table", should, f"the columns {known}")
        parts.append(condition.encode(pd.Series(table[condition.column])))
    return np.concatenate(parts, axis=1)


def matching(table: pd.DataFrame, wanted: Sequence[str], what: str) -> np.ndarray:
    """(image,), True for those that have, in each column that is named, one of the values that are wanted.

    Args:
        table: One row per image.
        wanted: Such as ``label=1``, ``label=7``; nothing: every image.
        what: What this is called in messages.

    Raises:
        InputError: A column is not there, or no image has a value.

    >>> table = pd.DataFrame({"label": [1, 7, 8], "plate": ["a", "b", "b"]})
    >>> matching(table, ("label=7", "label=1", "plate=b"), "only").tolist()
    [False, True, False]
    """
    found: dict[str, np.ndarray] = {}
    for text in wanted:
        column, equals, value = text.partition("=")
        if not equals:
            raise InputError(what, "be values of columns, such as label=8", repr(text))
        if column not in table.columns:
            raise unknown_name(what, column, map(str, table.columns))
        words = np.array(as_words(pd.Series(table[column])), np.str_)
        if not (words == value).any():
            there = sorted({*words.tolist()})
            mend = f"There are {', '.join(there[:9])}{', ...' if len(there) > 9 else ''}."
            raise InputError(what, "be values that some image has", repr(text), mend)
        found[column] = found.get(column, np.zeros(len(table), bool)) | (words == value)
    return np.logical_and.reduce(list(found.values())) if found else np.ones(len(table), bool)


def as_words(values: Sequence | pd.Series) -> list[str]:
    """Categories as text: 3.0 and 3 are one."""
    return [str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in pd.Series(values).tolist()]


def _fit_number(column: str, values: pd.Series, train: np.ndarray) -> Condition:
    numbers = np.asarray(pd.to_numeric(values, errors="coerce"), np.float64)[train]
    if not np.isfinite(numbers).all():
        mend = f"Say {column}:category, or mend the table."
        raise InputError(f"condition {column!r}", "hold a number for every image", "others", mend)
    return Condition(column=column, mean=float(numbers.mean()), scale=float(numbers.std()) or 1.0)


def _fit_category(column: str, values: pd.Series, train: np.ndarray) -> Condition:
    if values.isna().any():
        raise InputError(f"condition {column!r}", "have a value for every image", f"{values.isna().sum():,} missing")
    categories = tuple(sorted(set(as_words(values.iloc[train]))))
    held_out = sorted(set(as_words(values)) - set(categories))
    if held_out:
        should, got = "have every category among the training images", f"{held_out[0]!r} in held-out ones only"
        raise InputError(f"condition {column!r}", should, got, "Set data.split otherwise, or take another column.")
    if len(categories) > MANY:
        mend = f"Say {column}:number if it is one."
        got = f"{len(categories):,}"
        raise InputError(f"condition {column!r}", f"have at most {MANY:,} categories", got, mend)
    return Condition(column=column, categories=categories)
