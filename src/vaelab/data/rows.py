"""Which images are meant: row numbers, a mask, a slice or the name of a part, checked once at the door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from vaelab.errors import InputError, unknown_name

Rows = np.ndarray | pd.Series | pd.Index | Sequence[Any] | slice | str
"""Row numbers, in any order; a mask, True for each image that is meant; a slice; or the name of a part."""
_FIX = "Give row numbers from 0, or a mask with a value for each image."


def row_numbers(rows: Rows, num_images: int, parts: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
    """(row,), int64: the rows that are meant.

    Args:
        rows: Row numbers, a mask, a slice or a name.
        num_images: In the collection.
        parts: Name -> rows of its parts.

    Raises:
        InputError: They cannot be read as such, or a row is not there.

    >>> row_numbers([True, False, True], 3), row_numbers(slice(-2, None), 5)
    (array([0, 2]), array([3, 4]))
    >>> row_numbers("odd", 4, {"odd": np.array([1, 3])})
    array([1, 3])
    """
    if isinstance(rows, str):
        if rows not in (parts or {}):
            raise unknown_name("rows of images", rows, parts or {})
        return (parts or {})[rows]
    if isinstance(rows, slice):
        return np.arange(num_images)[rows]
    found = np.asarray(rows)
    if found.dtype == object and all(isinstance(value, bool | np.bool_) for value in found.flat):
        found = found.astype(bool)
    if found.ndim == 1 and found.dtype == bool:
        if len(found) != num_images:
            raise InputError("a mask of images", f"have {num_images} values, one for each image", len(found))
        return np.flatnonzero(found)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        got = f"{found.dtype} values" if found.ndim == 1 else f"an array of shape {found.shape}"
        raise InputError("rows of images", "be whole numbers, a mask or a slice", got, _FIX)
    if found.size and not 0 <= found.min() <= found.max() < num_images:
        got = found.min() if found.min() < 0 else found.max()
        raise InputError("rows of images", f"be from 0 to {num_images - 1}", got)
    return found.astype(np.int64)
