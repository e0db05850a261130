"""A table of labels joined on the names of image files: on the column that names them best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from vaelab.data.tables import TextTable
from vaelab.errors import InputError


@dataclass(frozen=True)
class Joined:
    """What came of a join."""

    kept: list[int]
    """The files that have a row."""
    facts: pd.DataFrame
    """Their rows, without the column that names files."""
    left_out: list[tuple[str, str]]
    """(file or row, reason) of each that has no partner."""
    note: str
    """On what it was joined, in a sentence."""


def join(names: Sequence[str], table: TextTable) -> Joined:
    """The files that a table has a row for, with that row.

    A cell names a file by its path below the folder, or a longer one that ends so, or by the file's own name, with or
    without its ending, where that is unique. The column that names most files counts. A running number of the rows is
    no name: it counts where it is the only column that fits, and fits every file and every row.

    Args:
        names: Path of each file below the folder, with forward slashes.
        table: The labels.

    Raises:
        InputError: No column names files, several do so equally well but not the same, or a file is named twice.
    """
    known = {part for name in names for part in (PurePosixPath(name).name, PurePosixPath(name).stem)}
    keys = {column: [cell.strip().replace("\\", "/") for cell in cells] for column, cells in table.columns.items()}
    keys = {column: cells for column, cells in keys.items() if any(cell.rpartition("/")[2] in known for cell in cells)}
    rows = {column: _rows_of(names, cells) for column, cells in keys.items()}
    column = _best(names, table, keys, rows)
    found, cells = rows[column], keys[column]
    used = Counter(row for row in found if row is not None)
    twice = next((cell for cell, count in Counter(cells).items() if cell and count > 1), None)
    if twice is not None:
        raise InputError(f"labels {column!r}", "name each file once", f"{twice!r} twice", f"Correct {table.name}.")
    kept = [i for i, row in enumerate(found) if row is not None]
    left_out = [(names[i], f"has no row in {table.name}") for i, row in enumerate(found) if row is None]
    left_out += [
        (cell, f"stands in {table.name} but not in the folder")
        if cell
        else (f"row {i + 1} of {table.name}", "names no file")
        for i, cell in enumerate(cells)
        if i not in used
    ]
    facts = table.frame.iloc[[row for row in found if row is not None]].reset_index(drop=True).drop(columns=column)
    note = (
        f"{table.name} is joined on its column {column!r}: {len(kept):,} of {len(names):,} files, "
        f"{len(used):,} of {len(table):,} rows"
    )
    return Joined(kept, facts, left_out, note)


def _best(
    names: Sequence[str],
    table: TextTable,
    keys: Mapping[str, list[str]],
    rows: Mapping[str, list[int | None]],
) -> str:
    """The column whose cells name most files."""
    count = {column: sum(row is not None for row in found) for column, found in rows.items()}
    fits = [column for column in keys if count[column]]
    words = [column for column in fits if not _is_running(keys[column])]
    if not words and fits and not all(count[column] == len(names) == len(table) for column in fits):
        be = f"have a column that names files, such as {names[0]!r}"
        raise InputError("labels", be, f"the running number {fits[0]!r}", "Add the names of the files.")
    if not fits:
        first, cells = next(iter(table.columns.items()))
        got = f"{cells[0]!r} in its column {first!r}, and others that are not"
        raise InputError("labels", f"name files in the folder, such as {names[0]!r}", got)
    fits = words or fits
    most = max(count[column] for column in fits)
    best = [column for column in fits if count[column] == most]
    unique = [column for column in best if len({*keys[column]}) == len(table)]
    best = unique or best
    other = next((column for column in best if rows[column] != rows[best[0]]), None)
    if other is not None:
        got = f"{best[0]!r} and {other!r}, which name {most:,} files each but not in the same rows"
        raise InputError("labels", "have one column that names each row's file", got, "Take one of them out.")
    return best[0]


def _rows_of(names: Sequence[str], cells: Sequence[str]) -> list[int | None]:
    """The row that names each file, by the most that its cell says; None where there is none."""
    paths = [PurePosixPath(name) for name in names]
    bare, stems = Counter(path.name for path in paths), Counter(path.stem for path in paths)
    row_of = {cell: i for i, cell in enumerate(cells)}
    ends = _rows_of_ends(names, cells)
    found = []
    for name, path in zip(names, paths, strict=True):
        row = row_of.get(name, ends.get(name))
        row = row_of.get(path.name) if row is None and bare[path.name] == 1 else row
        found.append(row_of.get(path.stem) if row is None and stems[path.stem] == 1 else row)
    return found


def _rows_of_ends(names: Sequence[str], cells: Sequence[str]) -> dict[str, int]:
    """File -> the row whose longer path ends like it, where that is one; files in deeper folders choose first."""
    long = [(cell.split("/"), i) for i, cell in enumerate(cells) if "/" in cell]
    found, taken = {}, set()
    for depth in sorted({name.count("/") + 1 for name in names}, reverse=True) if long else ():
        ends = [("/".join(parts[-depth:]), i) for parts, i in long if len(parts) > depth and i not in taken]
        count = Counter(end for end, _ in ends)
        fits = {end: i for end, i in ends if count[end] == 1}
        found |= {name: fits[name] for name in names if name in fits}
        taken = set(found.values())
    return found


def _is_running(cells: Sequence[str]) -> bool:
    """Whether they are 0, 1, 2, ... or 1, 2, 3, ..., in any order."""
    return any({*cells} == {*map(str, range(start, start + len(cells)))} for start in (0, 1))
