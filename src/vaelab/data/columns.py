"""Which column of an images' table says their class, and which their name, where nobody has said it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

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


def name_column(table: pd.DataFrame) -> str:
    """The column of the images' names, a different one for each image, or an empty name.

    >>> name_column(pd.DataFrame({"label": ["x", "x"], "File": ["a.png", "b.png"]}))
    'File'
    """
    lower = {str(name).lower(): str(name) for name in table.columns}
    return next((lower[name] for name in NAMES if name in lower and table[lower[name]].is_unique), "")
