"""A table as plain arrays that NumPy writes, and back: every column with its type, its gaps and its classes.

Numbers, truth values and dates are arrays as they are. Texts, and columns of several kinds of values, are the different
values that there are, once each as a JSON list in bytes, and for each row which of them it is; so a text that comes
back in many rows is one object in memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from vaelab.errors import InputError

Columns = list[dict[str, Any]]
"""Of each column its name, and its kind by which its arrays are read."""


def to_arrays(table: pd.DataFrame) -> tuple[Columns, dict[str, np.ndarray]]:
    """What there is to say of each column, and their arrays by name.

    Raises:
        InputError: A column holds other values than numbers, truth values, texts, dates or classes.

    >>> columns, arrays = to_arrays(pd.DataFrame({"label": ["a", "b", "a"], "dose": [1.0, 2.0, 3.0]}))
    >>> sorted(arrays), arrays["0.codes"].tolist()
    (['0.codes', '0.values', '1'], [0, 1, 0])
    """
    columns, arrays = [], {}
    for i, name in enumerate(table.columns):
        kind, parts = _packed(str(name), str(i), pd.Series(table[name]))
        columns.append({"name": str(name), **kind})
        arrays |= parts
    return columns, arrays


def from_arrays(columns: Columns, arrays: Mapping[str, np.ndarray], count: int) -> pd.DataFrame:
    """The table of `count` rows.

    Raises:
        KeyError, ValueError, IndexError, TypeError: They are not such as `to_arrays` gave.
    """
    found = {kind["name"]: _unpacked(kind, str(i), arrays) for i, kind in enumerate(columns)}
    if any(len(column) != count for column in found.values()) or len(found) < len(columns):
        raise ValueError("columns of other lengths, or two of one name")
    return pd.DataFrame(found, index=pd.RangeIndex(count))


def _packed(name: str, key: str, column: pd.Series) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        classes, parts = _packed(name, f"{key}.classes", pd.Series(column.cat.categories))
        kind = {"kind": "classes", "ordered": bool(column.cat.ordered), "classes": classes}
        return kind, {f"{key}.codes": column.cat.codes.to_numpy(), **parts}
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufmM":
        return {"kind": "array"}, {key: column.to_numpy()}
    gaps, texts = column.isna().to_numpy(bool), column.to_numpy(object, copy=True)
    none, plain = bool((texts == None).any()), all(isinstance(cell, str) for cell in texts[~gaps])  # noqa: E711
    if not plain:
        try:
            texts[~gaps] = [_as_json(cell) for cell in texts[~gaps]]
        except TypeError:
            be = "hold numbers, truth values, texts, dates or classes"
            raise InputError(f"column {name!r}", be, f"{column.dtype} values of other kinds") from None
    codes, values = pd.factorize(texts)
    listed = json.dumps(values.tolist() if plain else [json.loads(value) for value in values])
    kind = {"kind": "values", "dtype": str(column.dtype), "none": none}
    return kind, {f"{key}.codes": codes.astype(np.int32), f"{key}.values": np.frombuffer(listed.encode(), np.uint8)}


def _as_json(cell: object) -> str:
    """A value as text that differs from that of every other value, such as 1, 1.0, True and "1"."""
    return json.dumps(cell.item() if isinstance(cell, np.generic) else cell)


def _unpacked(kind: Mapping[str, Any], key: str, arrays: Mapping[str, np.ndarray]) -> Any:
    if kind["kind"] == "array":
        return arrays[key]
    codes = arrays[f"{key}.codes"]
    if kind["kind"] == "classes":
        classes = pd.Index(_unpacked(kind["classes"], f"{key}.classes", arrays))
        return pd.Categorical.from_codes(codes, categories=classes, ordered=kind["ordered"])
    values = np.array([*json.loads(arrays[f"{key}.values"].tobytes()), None], object)
    values[-1] = None if kind["none"] else np.nan
    if len(codes) and not -1 <= codes.min() <= codes.max() < len(values) - 1:
        raise ValueError("a value that is not listed")
    return pd.Series(values[codes], dtype=kind["dtype"])
