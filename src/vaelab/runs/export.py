"""Embeddings as files that other programs read: CSV, npz, Parquet, AnnData."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from vaelab import files
from vaelab.errors import InputError
from vaelab.inference import Embedding


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


def write_embedding(path: Path | str, codes: Embedding, table: pd.DataFrame) -> None:
    """Writes posterior means and scales with the table of the images, in the format that the path's ending names.

    CSV and Parquet have the columns ``z0`` ... (means), ``z0_scale`` ... and then those of the table; npz the arrays
    ``loc`` and ``scale`` and one per column; AnnData has loc as ``X``, scale as a layer and the table as ``obs``.
    A column of the table whose name is taken gets ``table_`` before it. The file appears whole or not at all.

    Args:
        path: Ends in .csv, .npz, .parquet or .h5ad.
        codes: The posterior of each image.
        table: One row per image.

    Raises:
        InputError: The path cannot be written in any of these formats, or the disk is full.
    """
    path = check_target(path)
    with files.replacing(path) as part:
        WRITERS[path.suffix](part, codes, _plain_table(table, codes))


def _plain_table(table: pd.DataFrame, codes: Embedding) -> pd.DataFrame:
    """With columns that every format can hold: text names that are free, and text for whatever is not a number."""
    taken = {"loc", "scale", *codes.table().columns}
    columns = {}
    for name, values in table.items():
        name = str(name)
        name = f"table_{name}" if name in taken else name
        number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_extension_array_dtype(values)
        columns[name] = (
            values.to_numpy() if number else values.astype(object).where(values.notna(), "").astype(str).to_numpy()
        )
    return pd.DataFrame(columns, index=pd.RangeIndex(len(table)))


def _csv(path: Path, codes: Embedding, table: pd.DataFrame) -> None:
    pd.concat([codes.table(), table], axis=1).to_csv(path, index=False)


def _parquet(path: Path, codes: Embedding, table: pd.DataFrame) -> None:
    pd.concat([codes.table(), table], axis=1).to_parquet(path, index=False)


def _npz(path: Path, codes: Embedding, table: pd.DataFrame) -> None:
    columns = {name: table[name].to_numpy() for name in table}
    with zipfile.ZipFile(
        path, "w", zipfile.ZIP_DEFLATED
    ) as archive:  # not np.savez, which has no room for a column `file`
        for name, values in {"loc": codes.loc, "scale": codes.scale, **columns}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                array = values.astype(str) if values.dtype == object else values
                np.lib.format.write_array(file, array, allow_pickle=False)


def _h5ad(path: Path, codes: Embedding, table: pd.DataFrame) -> None:
    from anndata import AnnData

    latents = pd.DataFrame(index=pd.Index([f"z{i}" for i in range(codes.latent_dim)]))
    table = table.rename(columns=lambda name: f"table{name}" if name == "_index" else name.replace("/", "_"))
    cells = AnnData(
        X=codes.loc, obs=table.set_index(table.index.astype(str)), var=latents, layers={"scale": codes.scale}
    )
    cells.write_h5ad(path)


WRITERS: dict[str, Callable[[Path, Embedding, pd.DataFrame], None]] = {
    ".csv": _csv, ".npz": _npz, ".parquet": _parquet, ".h5ad": _h5ad,
}  # fmt: skip
"""By the ending of the file's name."""
_EXTRAS = {".parquet": ("pyarrow", "parquet"), ".h5ad": ("anndata", "anndata")}
