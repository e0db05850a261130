"""Columns of the images' table that were made from a run, such as a selection of the explorer; kept with the run.

RUN/columns/NAME.csv    row, image, NAME: the row of an image in the collection, its name where it has one, a value

They stand in the table of the run's images wherever the run is loaded, beside those of the user's own files, which are
never written. A column is written once: results that name it stay true. Who does not want it any more deletes the
file, and the results that name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from vaelab import files
from vaelab.errors import InputError, one_line

_MEND = "Delete it; the images' own table is not touched by that."


def folder_of(run: Path) -> Path:
    """Where a run's columns lie."""
    return run / "columns"


def checked_name(name: str, taken: Iterable[str] = ()) -> str:
    """A name that a file may have on every system, and a column too.

    Args:
        name: The name.
        taken: Names of columns that are there.

    Raises:
        InputError: It is another, or taken.
    """
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9 _-]{0,46}[A-Za-z0-9_-])?", name):
        raise InputError("the name", "be 1 to 48 letters, digits, spaces, - and _", repr(name)[:80])
    if re.fullmatch(r"(?i)con|prn|aux|nul|com\d|lpt\d|row|image|z\d+(_scale)?", name):
        raise InputError("the name", "be a free one", repr(name), "Choose another.")
    if name.lower() in {each.lower() for each in taken}:
        raise InputError("the name", "be a free one", f"{name!r}, a column that is there", "Choose another.")
    return name


def keep_column(run: Path, name: str, rows: np.ndarray, values: pd.Series, images: list[str] | None = None) -> Path:
    """Writes a column and gives its file.

    Args:
        run: The run's folder.
        name: See `checked_name`.
        rows: (image,): the rows of the collection of which something is said.
        values: (image,): what is said.
        images: Their names, if they have such.

    Raises:
        InputError: The name is no such name or taken, or the folder cannot be written.
    """
    folder = folder_of(run)
    checked_name(name, [path.stem for path in folder.glob("*.csv")])
    if named_by := _naming(run, name):
        mend = "Choose another, or delete what names it."
        raise InputError("the name", "be one that no result names yet", f"{name!r}, which {named_by} names", mend)
    named = {} if images is None else {"image": images}
    table = pd.DataFrame({"row": rows, **named, name: values.to_numpy()})
    files.check_folder(folder)
    path = folder / f"{name}.csv"
    files.write(path, table.to_csv(index=False, lineterminator="\n"))
    return path


def _naming(run: Path, name: str) -> str:
    """What was measured, classified or explained by a column of that name that is gone; empty: nothing."""
    plain = re.escape(re.sub("[^A-Za-z0-9_-]+", "-", name))
    for path in (*run.glob("classifiers/*.safetensors"), *run.glob("explanations/*")):
        if re.fullmatch(f"{plain}(-.*)?", path.stem):
            return str(path.relative_to(run))
    for path in run.glob("results/*/scores.json"):
        try:
            asked = files.read_json(path)["question"].values()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # whoever reads it says what is wrong with it
        if any(name == value or (isinstance(value, list) and name in value) for value in asked):
            return str(path.parent.relative_to(run))
    return ""


def kept_columns(run: Path, num_images: int) -> pd.DataFrame:
    """Every column that is kept with a run, one row per image of its collection; nothing where nothing was said.

    Args:
        run: The run's folder.
        num_images: Of the collection.

    Raises:
        InputError: A file was altered so that it is no such column.
    """
    found = {path.stem: _read(path, num_images) for path in sorted(folder_of(run).glob("*.csv"))}
    return pd.DataFrame(found, index=pd.RangeIndex(num_images))


def with_kept(table: pd.DataFrame, run: Path) -> pd.DataFrame:
    """A table of all images of a run, with the columns that are kept with it; its own come first and stay."""
    kept = kept_columns(run, len(table))
    free = [name for name in kept if name not in table.columns]
    return table if not free else pd.concat([table, kept[free]], axis=1)


def _read(path: Path, num_images: int) -> pd.Series:
    try:
        table = pd.read_csv(path, dtype={path.stem: str, "image": str}, keep_default_na=False)
        rows, values = table["row"].to_numpy(np.int64), table[path.stem].to_numpy(object)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(str(path), "be a column of the run", one_line(error), _MEND) from None
    if len(rows) and not (rows.min() >= 0 and rows.max() < num_images and len(np.unique(rows)) == len(rows)):
        raise InputError(str(path), f"name each of {num_images:,} images once at most, by row", "others", _MEND)
    column = np.full(num_images, None, object)
    column[rows] = values
    return pd.Series(column)
