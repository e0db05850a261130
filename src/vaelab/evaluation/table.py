"""Somebody else's embedding: codes in a table, with what is known of the images beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from vaelab.data import ImageCollection
from vaelab.data.sources.npz import as_text
from vaelab.data.tables import read_table as read_text
from vaelab.distributions.mixture import fit_mixture
from vaelab.errors import InputError, unknown_name
from vaelab.evaluation._evaluate import all_metrics, measure_arrays
from vaelab.evaluation._matched import drawn_pixels, rows_of_images
from vaelab.evaluation.measured import Measured
from vaelab.files import DAMAGED

_CODES, _SCALE, _CLUSTERS = (
    (re.compile(r"(vaelab_)+z\d+"), re.compile(r"z\d+")),
    "{}_scale",
    ("vaelab_cluster", "cluster"),
)
_SPLITS = ("vaelab_split", "split")
_EXTRAS = {".parquet": "pyarrow", ".h5ad": "anndata"}
_MOST_LABELS = 1000


def read_table(path: Path | str, what: str = "the file") -> pd.DataFrame:
    """A table with one row per image, from CSV, npz, Parquet or AnnData, as `vaelab embed` writes it or anyone else.

    In a CSV, columns are numbers only where each cell is plainly one; see `vaelab.data.tables`; what is
    worth knowing of how it was read stands in the table's ``attrs["notes"]``. Arrays of an npz with
    several columns, and AnnData's ``X`` become columns ``z0``, ``z1``, ...; arrays called
    ``scale``, and the layer of that name, ``z0_scale`` and so on.

    Args:
        path: Ends in .csv, .npz, .parquet or .h5ad.
        what: How the user named it.

    Raises:
        InputError: It is not there, or not such a file; or an extra is missing.
    """
    path = Path(path)
    read = _READERS.get(path.suffix)
    if read is None:
        raise InputError(what, "end in .csv, .npz, .parquet or .h5ad", repr(str(path)))
    extra = _EXTRAS.get(path.suffix)
    if extra and find_spec(extra) is None:
        name = path.suffix.removeprefix(".").replace("h5ad", "anndata")
        raise InputError(what, f"be CSV or npz without {extra}", path.suffix, f"pip install 'vaelab[{name}]'.")
    try:
        table = read(path, what)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(what, "be a file", f"{str(path)!r}, which is not there") from None
    except DAMAGED as error:
        raise InputError(what, f"be a table in {path.suffix}", f"{str(path)!r}: {error}") from None
    return table.rename(columns=str)


def measure_table(
    table: pd.DataFrame,
    *,
    codes: Sequence[str] = (),
    labels: str | None = None,
    factors: Sequence[str] = (),
    groups: str | None = None,
    batches: str | None = None,
    images: ImageCollection | None = None,
    metrics: Iterable[str] | None = None,
    seed: int = 0,
) -> Measured:
    """Every metric that can be computed of codes that come from elsewhere.

    Scales are the columns ``z0_scale`` ... where every code has one. Clusters are the column ``cluster``, else those of
    a mixture of as many diagonal Gaussians as there are labels, fitted to the codes.

    Args:
        table: One row per image.
        codes: The columns of the codes; left out, ``z0``, ``z1``, ..., or ``vaelab_z0`` and so on where there are such.
        labels: A column of kinds.
        factors: Columns of known numbers.
        groups: A column that says which images belong together, such as those of one well.
        batches: A column that says which groups were made together.
        images: Those that the codes are of, for metrics of neighbourhoods: found by name where a text column names
            them, else row by row. Which it was stands in the result's `notes`.
        metrics: Names of those that are wanted; left out, all.
        seed: Of the mixture.

    Raises:
        InputError: A column is not there, or not of such a kind; an image is not there.

    >>> z = np.random.default_rng(0).normal(size=(100, 2))
    >>> table = pd.DataFrame({"z0": z[:, 0], "z1": z[:, 1], "size": 3 * z[:, 0]})
    >>> round(measure_table(table, factors=["size"]).score("probe_r2", "size").value, 6)
    1.0
    """
    chosen = all_metrics(metrics).values()
    found = ([name for name in table if pattern.fullmatch(str(name))] for pattern in _CODES)
    names = tuple(codes) or tuple(next(filter(None, found), ()))
    if not names:
        mend = "Name the columns of the codes."
        raise InputError("codes", "stand in columns z0, z1, ...", ", ".join(map(str, table.columns[:8])), mend)
    there: dict[str, object] = {"codes": _numbers(table, names, "codes").astype(np.float64)}
    if all(_SCALE.format(name) in table for name in names):
        there["scales"] = _numbers(table, [_SCALE.format(name) for name in names], "codes")
    there |= known_of(table, labels=labels, factors=factors, groups=groups, batches=batches)
    notes = _pooled(table)
    if images is not None:
        rows, note = rows_of_images(table, images)
        notes += (*images.notes, note)
        there |= drawn_pixels(images, rows)
    if labels is not None and any("clusters" in metric.needs for metric in chosen):
        given = next((name for name in _CLUSTERS if name in table), None)
        z, kinds = np.asarray(there["codes"]), np.asarray(there["labels"])
        there["clusters"] = clusters_of(z, kinds, seed) if given is None else _kinds(table, given, "clusters")
    return replace(measure_arrays(there, chosen), notes=notes)


def known_of(
    table: pd.DataFrame,
    *,
    labels: str | None = None,
    factors: Sequence[str] = (),
    groups: str | None = None,
    batches: str | None = None,
) -> dict[str, object]:
    """What a table says of images, by the names that metrics ask for; arguments as of `measure_table`.

    Raises:
        InputError: A column is not there, or not of such a kind.

    >>> known_of(pd.DataFrame({"size": [1, 2]}), factors=["size"])["factor_names"]
    ('size',)
    """
    known: dict[str, object] = {}
    if factors:
        known |= {"factors": _numbers(table, factors, "factors"), "factor_names": tuple(factors)}
    for name, column in (("labels", labels), ("groups", groups), ("batches", batches)):
        if column is not None:
            known[name] = _kinds(table, column, name)
    return known


def clusters_of(codes: np.ndarray, labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """(image,): clusters of a mixture of as many diagonal Gaussians as there are labels, fitted to the codes.

    If fewer codes than that differ, it has as many Gaussians as codes differ.

    Raises:
        InputError: There are more than 1,000 labels, or a code is not finite.
    """
    num_labels = len(pd.unique(labels))
    if num_labels > _MOST_LABELS:
        raise InputError("labels", f"be at most {_MOST_LABELS} kinds, or stand beside a column `cluster`", num_labels)
    num_components = min(num_labels, len(np.unique(codes, axis=0)))
    if num_components == 1:
        return np.zeros(len(codes), int)
    return fit_mixture(codes, num_components, seed, n_init=3).predict(codes)


def _pooled(table: pd.DataFrame) -> tuple[str, ...]:
    """That rows of several parts are measured together, where a column tells the parts apart."""
    column = next((name for name in _SPLITS if name in table), None)
    parts = [] if column is None else sorted(map(str, pd.unique(table[column].dropna())))
    if not {"train", "test"} <= {*parts}:
        return ()
    words = f"{', '.join(parts[:-1])} and {parts[-1]}"
    return (f"rows of {words} (column {column!r}) are measured together; leave out those that codes were learnt on",)


def _numbers(table: pd.DataFrame, names: Sequence[str], what: str) -> np.ndarray:
    """(image, column): finite numbers."""
    for name in names:
        if name not in table:
            raise unknown_name(what, name, map(str, table.columns))
        numbers = np.asarray(pd.to_numeric(pd.Series(table[name]), errors="coerce"), np.float64)
        if not np.isfinite(numbers).all():
            raise InputError(what, "be columns of finite numbers", f"others in {name!r}")
    return table[list(names)].to_numpy(np.float64)


def _kinds(table: pd.DataFrame, name: str, what: str) -> np.ndarray:
    if name not in table:
        raise unknown_name(what, name, map(str, table.columns))
    if pd.Series(table[name]).isna().any():
        raise InputError(what, "have a value for every image", f"missing ones in {name!r}", "Leave those rows out.")
    return table[name].to_numpy()


def _csv(path: Path, what: str) -> pd.DataFrame:
    text = read_text(path, what)
    text.frame.attrs["notes"] = tuple(text.notes)
    return text.frame


def _npz(path: Path, what: str) -> pd.DataFrame:
    columns: dict[str, np.ndarray] = {}
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            array, prefix = as_text(arrays[name]), "vaelab_" * name.count("vaelab_")
            ending = "_scale" if name.removeprefix(prefix) in ("scale", "scales") else ""
            wide = (
                {f"{prefix}z{i}{ending}": column for i, column in enumerate(array.T)}
                if array.ndim == 2
                else {name: array}
            )
            if repeated := columns.keys() & wide.keys():
                raise ValueError(f"several arrays of codes, {min(repeated)} twice")
            columns |= wide
    return pd.DataFrame(columns)


def _h5ad(path: Path, what: str) -> pd.DataFrame:
    from anndata import read_h5ad

    cells = read_h5ad(path)
    parts = [(cells.X, "")] + ([(cells.layers["scale"], "_scale")] if "scale" in cells.layers else [])
    codes = {f"z{i}{ending}": column for array, ending in parts for i, column in enumerate(_dense(array).T)}
    return pd.DataFrame(codes).join(pd.DataFrame(cells.obs).reset_index(drop=True), rsuffix="_obs")


def _dense(array) -> np.ndarray:
    return array.toarray() if hasattr(array, "toarray") else np.asarray(array)


_READERS: dict[str, Callable[[Path, str], pd.DataFrame]] = {
    ".csv": _csv,
    ".npz": _npz,
    ".parquet": lambda path, _: pd.read_parquet(path),
    ".h5ad": _h5ad,
}
"""By the ending of the file's name."""
