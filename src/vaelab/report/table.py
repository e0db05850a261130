"""What a collection's table says that a page can use: the kinds of images, and their names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vaelab.plots import Classes

USUAL = ("label", "labels", "class", "target", "moa", "treatment", "phenotype", "process")
"""Columns that colour the points, if there are any."""
MOST_CLASSES = 20
NAMES = ("path", "file", "filename", "file_name", "image", "image_id", "name", "id")
"""Columns that may hold the images' names."""


def label_column(table: pd.DataFrame, factors: Sequence[str] = ()) -> str:
    """The column to colour by, or an empty name.

    First a column with a usual name, then the first with 2 to 20 values that repeat, then the first ground-truth
    factor.

    >>> label_column(pd.DataFrame({"path": ["a", "b", "c", "d"], "plate": ["1", "1", "2", "2"]}))
    'plate'
    """
    lower = {str(name).lower(): str(name) for name in table.columns}
    for name in USUAL:
        if name in lower and table[lower[name]].nunique() > 1:
            return lower[name]
    for name in table.columns:
        values = table[name].nunique()
        whole = not pd.api.types.is_float_dtype(table[name])
        if whole and name not in ("split", "part") and 2 <= values <= min(MOST_CLASSES, len(table) // 2):
            return str(name)
    return next((name for name in factors if table[name].nunique() > 1), "")


def labels_of(values: pd.Series) -> Classes | np.ndarray:
    """Numbers where there are many different ones, else classes, of which rare ones beyond 19 are put together.

    >>> labels_of(pd.Series(["b", "a", "b"])).names
    ('b', 'a')
    """
    numeric = pd.api.types.is_numeric_dtype(values)
    if numeric and not pd.api.types.is_bool_dtype(values) and values.nunique() > MOST_CLASSES:
        return values.to_numpy(float)
    kinds = values.value_counts(dropna=True)
    ordered = sorted(kinds.index) if numeric else list(kinds.index)
    whole = numeric and all(float(kind).is_integer() for kind in ordered)
    names = [str(int(kind)) if whole else str(kind) for kind in ordered]
    place = {kind: i for i, kind in enumerate(ordered)}
    codes = np.array([place.get(value, -1) for value in values])
    if len(names) > MOST_CLASSES:
        names, codes = [*names[: MOST_CLASSES - 1], "other"], np.minimum(codes, MOST_CLASSES - 1)
    if (codes < 0).any():
        names, codes = [*names, "no label"], np.where(codes < 0, len(names), codes)
    return Classes(codes=codes, names=tuple(names))


def captions(table: pd.DataFrame, places: np.ndarray, label: str = "", rows: np.ndarray | None = None) -> list[str]:
    """For each of these places in the table its number, the name of its image and its class, as far as there are such.

    Args:
        table: One row per image.
        places: Which of them.
        label: The column of classes; empty: none.
        rows: Their numbers; left out, the places.

    >>> captions(pd.DataFrame({"path": ["a/b.png", "c.png"], "label": ["x", "y"]}), np.array([0]), "label")
    ['#0\\nb.png\\nlabel: x']
    """
    lower = {str(name).lower(): str(name) for name in table.columns}
    name = next((lower[name] for name in NAMES if name in lower and table[lower[name]].is_unique), "")
    said = [[f"#{row}"] for row in (places if rows is None else rows).tolist()]
    for column in filter(None, dict.fromkeys((name, label))):
        for words, value in zip(said, table[column].iloc[places], strict=True):
            words.append(str(value).replace("\\", "/").rpartition("/")[2] if column == name else f"{column}: {value}")
    return ["\n".join(words) for words in said]
