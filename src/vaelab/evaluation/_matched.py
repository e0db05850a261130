"""The images that the rows of somebody else's table speak of."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from vaelab.data import ImageCollection, Scaling
from vaelab.errors import InputError
from vaelab.evaluation._derived import DrawnImages

_BLOCK = 256


def rows_of_images(table: pd.DataFrame, collection: ImageCollection) -> tuple[np.ndarray, str]:
    """The image of each row, and a sentence on how it was found: by name where a column names images, else in order.

    A cell names an image by what a column of the images' own table says, such as its path, or by the last part of it,
    where that is one image's alone. The column that names most counts.

    Args:
        table: One row per image that is measured.
        collection: The images.

    Raises:
        InputError: A cell of the column that names images names none, or nothing names them and the numbers differ.
    """
    found = {
        column: rows for column in _texts(table) if (rows := _named(pd.Series(table[column]), collection)).notna().any()
    }
    if found:
        column = max(found, key=lambda name: found[name].notna().sum())
        rows = found[column]
        if rows.isna().any():
            got = repr(str(table[column][rows.isna()].iloc[0]))
            raise InputError(f"the column {column!r}", "name an image in every row", f"{got}, which is none of them")
        return rows.to_numpy(np.int64), f"images are found by the column {column!r}"
    if len(table) != len(collection):
        should, got = f"be {len(table):,}, one for each row, where no column names them", f"{len(collection):,}"
        raise InputError("images", should, got, "Add a column with the names of the files.")
    return np.arange(len(table)), "no column names images, so that the first row is the first image, and so on"


def drawn_pixels(collection: ImageCollection, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Pixels in [0, 1] of the images in `rows`, as metrics of neighbourhoods ask for them: ``pixels`` and ``drawn``.

    Raises:
        InputError: A float image is not finite, or leaves [0, 1].
    """
    intensity, drawn = Scaling().fit(collection.images, rows), DrawnImages()
    for start in range(0, len(rows), _BLOCK):
        drawn.add(np.asarray(intensity.apply(collection.take(rows[start : start + _BLOCK]).images)))
    return {"pixels": drawn.pixels, "drawn": drawn.mask}


def _named(cells: pd.Series, collection: ImageCollection) -> pd.Series:
    """The number of the image that each cell names; missing where it names none."""
    known: dict[str, int | None] = {}
    for column in _texts(collection.table):
        whole = list(map(str, collection.table[column]))
        for names in (whole, [PurePosixPath(name).name for name in whole]):
            if len(set(names)) == len(names):
                known |= {name: number for number, name in enumerate(names) if name not in known}
    text = cells.astype(str)
    found = text.map(known)
    return found.where(found.notna(), text.map(lambda name: PurePosixPath(name).name).map(known))


def _texts(table: pd.DataFrame) -> list[str]:
    return [str(name) for name, column in table.items() if pd.api.types.infer_dtype(column) == "string"]
