"""What a collection's table says that a page can use: the kinds of images, and their names."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vaelab.data.columns import MOST_CLASSES, name_column
from vaelab.plots import Classes


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
    name = name_column(table)
    said = [[f"#{row}"] for row in (places if rows is None else rows).tolist()]
    for column in filter(None, dict.fromkeys((name, label))):
        for words, value in zip(said, table[column].iloc[places], strict=True):
            words.append(str(value).replace("\\", "/").rpartition("/")[2] if column == name else f"{column}: {value}")
    return ["\n".join(words) for words in said]
