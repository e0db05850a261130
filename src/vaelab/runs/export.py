"""Embeddings as files that other programs read: CSV, npz, Parquet, AnnData."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from vaelab import files
from vaelab.errors import InputError
from vaelab.inference import Embedding

PREFIX = "vaelab_"
"""Before the names of our columns where the table has columns of these names."""
MOST_VALUES = 1 << 23
"""So many codes at most are in memory while a file is written."""
Rows = Callable[[slice], pd.DataFrame]
"""Gives the table of a slice of the images."""
Columns = pd.DataFrame | Rows


def check_target(path: Path | str, what: str = "--output") -> Path:
    """The path, where an embedding can be written to it; asked before anything is computed.

    Raises:
        InputError: The ending is not known, an extra is missing, or the folder cannot be written.
    """
    path = Path(path)
    if path.suffix not in WRITERS:
        raise InputError(what, f"end in {', '.join(WRITERS)}", repr(str(path)))
    module, extra = _EXTRAS.get(path.suffix, ("pandas", ""))
    if find_spec(module) is None:
        mend = f"Install it with: pip install 'vaelab[{extra}]'."
        raise InputError(
            what, f"end in one of {', '.join(set(WRITERS) - set(_EXTRAS))} without {module}", path.suffix, mend
        )
    if path.is_dir():
        raise InputError(what, "be a file", f"the folder {path}")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise InputError(what, "be in a folder that can be written", repr(str(path)))
    return path


def check_table(path: Path | str, table: pd.DataFrame) -> None:
    """Refuses a table that the format of the path's ending cannot hold; asked before anything is computed.

    Raises:
        InputError: Its first rows, written for a trial, are refused by whoever writes the format.
    """
    some = table.iloc[:2]
    one = np.zeros((len(some), 1), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"trial{Path(path).suffix}"
        try:
            write_embedding(place, Embedding(loc=one, scale=one), some)
        except (ValueError, TypeError, KeyError, OSError) as error:
            got = f"one that {place.suffix} cannot hold ({str(error).splitlines()[0]})"
            mend = "Write .csv, or rename its columns."
            raise InputError("the images' table", "be one that can be written", got, mend) from None


def write_embedding(path: Path | str, codes: Embedding, table: pd.DataFrame, ours: Sequence[Columns] = ()) -> list[str]:
    """Writes posterior means and scales with the table of the images, in the format that the path's ending names.

    CSV and Parquet have the columns ``z0`` ... (means), ``z0_scale`` ... and then those of the table; npz the arrays
    ``loc`` and ``scale`` and one per column; AnnData has loc as ``X``, scale as a layer and the table as ``obs``.
    Columns of the table keep their names: where one is taken, ours begin with ``vaelab_``. The file appears whole or
    not at all. CSV and Parquet are written some rows at a time, in Parquet a row group each.

    Args:
        path: Ends in .csv, .npz, .parquet or .h5ad.
        codes: The posterior of each image.
        table: One row per image.
        ours: More columns, such as clusters, or what gives those of a slice of rows; those of one frame are renamed
            together.

    Returns:
        What was renamed, a sentence each.

    Raises:
        InputError: The path cannot be written in any of these formats, or the disk is full.
    """
    path, notes, h5ad = check_target(path), [], Path(path).suffix == ".h5ad"

    def rows(part: slice, notes: list[str]) -> pd.DataFrame:
        some = _slashless(_plain_table(table.iloc[part]), notes) if h5ad else _plain_table(table.iloc[part])
        return beside(some, [frame(part) if callable(frame) else frame.iloc[part] for frame in ours], notes)

    arrays = ["loc", "scale"] if path.suffix == ".npz" else []
    names = [] if h5ad else [*arrays, *codes.part(slice(1)).table().columns]
    prefix = _free(names, _plain_table(table.iloc[:1]), notes)
    rows(slice(1), notes)
    with files.replacing(path) as part:
        WRITERS[path.suffix](part, codes, lambda part: rows(part, []), prefix)
    return notes


def beside(table: pd.DataFrame, ours: Sequence[pd.DataFrame], notes: list[str]) -> pd.DataFrame:
    """The table's columns, then ours: where one of ours has a name that is taken, those of its frame begin with
    ``vaelab_``.

    Args:
        table: One row per image.
        ours: Frames with as many.
        notes: Gets a sentence for each frame that was renamed.
    """
    for frame in ours:
        free = _free(list(frame.columns), table, notes)
        table = pd.concat([table, _plain_table(frame).add_prefix(free)], axis=1)
    return table


def _free(names: list[str], table: pd.DataFrame, notes: list[str]) -> str:
    """What our columns' names begin with, so that none is one of the table's."""
    taken, prefix = [name for name in names if name in table.columns], ""
    while any(prefix + name in table.columns for name in names):
        prefix += PREFIX
    if taken:
        notes.append(f"the table has a column {taken[0]!r} of its own, so ours is called {prefix + taken[0]!r}")
    return prefix


def _plain_table(table: pd.DataFrame) -> pd.DataFrame:
    """With columns that every format can hold: names are text, and so is whatever is not a number."""
    columns = {}
    for name, values in table.items():
        number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_extension_array_dtype(values)
        columns[str(name)] = (
            values.to_numpy() if number else values.astype(object).where(values.notna(), "").astype(str).to_numpy()
        )
    return pd.DataFrame(columns, index=pd.RangeIndex(len(table)))


def _slashless(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """With names that AnnData takes: no slash, not empty, not ``_index``; each still once."""
    names = {}
    for name in table.columns:
        new = name.replace("/", "_") if name not in ("", "_index") else f"table{name}"
        while new != name and (new in table.columns or new in names.values()):
            new += "_"
        names[name] = new
        if new != name:
            notes.append(f"the column {name!r} is called {new!r}, since .h5ad takes no such name")
    return table.rename(columns=names)


def _wide(codes: Embedding, rows: Rows, prefix: str) -> Iterator[pd.DataFrame]:
    """Codes and table side by side, some rows at a time, of every column about 64 MB at most."""
    step = max(1, MOST_VALUES // codes.latent_dim)
    for start in range(0, len(codes), step):
        part = slice(start, min(start + step, len(codes)))
        yield pd.concat([codes.part(part).table().add_prefix(prefix), rows(part)], axis=1)


def _csv(path: Path, codes: Embedding, rows: Rows, prefix: str) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        for i, frame in enumerate(_wide(codes, rows, prefix)):
            frame.to_csv(file, index=False, header=i == 0)


def _parquet(path: Path, codes: Embedding, rows: Rows, prefix: str) -> None:
    from pyarrow import Table
    from pyarrow.parquet import ParquetWriter

    frames = _wide(codes, rows, prefix)
    first = Table.from_pandas(next(frames), preserve_index=False)
    with ParquetWriter(path, first.schema) as file:
        file.write_table(first)
        for frame in frames:
            file.write_table(Table.from_pandas(frame, first.schema, preserve_index=False))


def _npz(path: Path, codes: Embedding, rows: Rows, prefix: str) -> None:
    table = rows(slice(None))
    columns = {name: table[name].to_numpy() for name in table}
    with zipfile.ZipFile(
        path, "w", zipfile.ZIP_DEFLATED
    ) as archive:  # not np.savez, which has no room for a column `file`
        for name, values in {f"{prefix}loc": codes.loc, f"{prefix}scale": codes.scale, **columns}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                array = values.astype(str) if values.dtype == object else values
                np.lib.format.write_array(file, array, allow_pickle=False)


def _h5ad(path: Path, codes: Embedding, rows: Rows, prefix: str) -> None:
    from anndata import AnnData

    table = rows(slice(None))
    latents = pd.DataFrame(index=pd.Index([f"z{i}" for i in range(codes.latent_dim)]))
    cells = AnnData(
        X=codes.loc, obs=table.set_index(table.index.astype(str)), var=latents, layers={"scale": codes.scale}
    )
    cells.write_h5ad(path)


WRITERS: dict[str, Callable[[Path, Embedding, Rows, str], None]] = {
    ".csv": _csv, ".npz": _npz, ".parquet": _parquet, ".h5ad": _h5ad,
}  # fmt: skip
"""By the ending of the file's name."""
_EXTRAS = {".parquet": ("pyarrow", "parquet"), ".h5ad": ("anndata", "anndata")}
