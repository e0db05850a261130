"""Text tables as people write them: separator, encoding and types are found out, or the table is refused."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from vaelab.data.files import locate
from vaelab.errors import InputError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
"""The bytes that a text in an encoding may begin with; UTF-32 before UTF-16, whose mark is a part of its own."""
WHOLE = re.compile(r"-?[1-9]\d*|0")
NUMBER = re.compile(r"-?(?:(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][+-]\d+)?|(?:0|[1-9]\d*)?\.\d+(?:[eE][+-]?\d+)?)")
"""1, 0.5, .5, 1e-05, 1.5E3; not 007 nor 1E2, which may be names."""
GAP_WORDS = frozenset({"na", "n/a", "nan", "null", "none", "inf", "-inf", "-", "."})
EXACT = 1 << 53
"""Whole numbers up to here are floats without loss."""


@dataclass(frozen=True, eq=False)
class TextTable:
    """A table as it is written: every cell is text, a gap an empty one."""

    name: str
    """Of the file, as the user gave it."""
    columns: dict[str, list[str]]
    """Name -> cells."""
    separator: str = ","
    """Between cells. Where it is no comma, a comma may be a decimal point."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The table with one type per column: numbers where each cell is plainly one, else text as written.

        Whole numbers are int64, with gaps float64; True and False are bool. A column stays text where a number would
        lose its spelling (007) or its last digits (whole numbers above what the type holds); a gap is NaN.
        """
        comma = self.separator != ","
        return pd.DataFrame({name: typed(cells, comma) for name, cells in self.columns.items()})

    @property
    def notes(self) -> list[str]:
        """What a reader should know of how it was read, a sentence each."""
        found = []
        if self.separator == ";":
            found.append(f"{self.name} is separated by semicolons, so that a comma in a number is its decimal point")
        for name, cells in self.columns.items():
            if self.frame[name].dtype.kind != "O":
                continue
            given = {*cells} - {""}
            words = {cell for cell in given if not NUMBER.fullmatch(cell)}
            if words and {word.lower() for word in words} <= GAP_WORDS and len(words) < len(given):
                gap = "a gap is an empty cell"
                found.append(f"column {name!r} of {self.name} is text for the {min(words)!r} in it; {gap}")
            blank = min((cell for cell in words if cell != cell.strip()), default=None)
            if blank is not None:
                found.append(f"column {name!r} of {self.name} has cells with blanks at an end, which stay: {blank!r}")
        return found + self._merged()

    def _merged(self) -> list[str]:
        """A note where numbers of a column are written in two ways, such as 1.1 and 1.10, on the first such column."""
        found = []
        for name in self.frame.select_dtypes("float64"):
            values = dict(zip(self.columns[str(name)], self.frame[name].tolist(), strict=True))
            if len(values) == len({*values.values()}):
                continue
            spelt: dict[float, str] = {}
            pairs = ((spelt.setdefault(value, cell), cell) for cell, value in values.items())
            pair = next((pair for pair in pairs if pair[0] != pair[1] and float(values[pair[0]])), None)
            found += [(name, *pair)] if pair else []
        if not found:
            return []
        name, one, other = found[0]
        more = f", and so in {len(found) - 1:,} other columns" if len(found) > 1 else ""
        return [f"column {name!r} of {self.name} is numbers: {one!r} and {other!r} in it are one value{more}"]


def read_table(path: str | Path, what: str) -> TextTable:
    """A text table, its first line the column names: separated by commas, semicolons or tabs, in UTF-8 or UTF-16.

    Blanks after separators are no part of the cells where the first line has them too. A column without a name is
    called ``Unnamed: 2`` after its place.

    Raises:
        InputError: It is missing, empty or no such table, or can be read in two ways.
    """
    place = locate(str(path), what, folder=False)
    text = _text(place, what, str(path))
    separator = re.match(r"sep=(.)\r?\n", text)
    if separator:
        rows = _rows(text[separator.end() :], separator[1], what, str(path))
        separator = separator[1]
    else:
        separator, rows = _by_separator(text, what, str(path), place.suffix.lower() == ".tsv")
    head, *rows = rows
    names = [name.strip() or f"Unnamed: {i}" for i, name in enumerate(head)]
    repeated = next((name for name in names if names.count(name) > 1), None) if len({*names}) < len(names) else None
    if repeated is not None:
        raise InputError(what, "name each column once", f"{repeated!r} twice in {str(path)!r}", "Rename one.")
    if not rows:
        raise InputError(what, "have a row for each image", f"{str(path)!r} without rows")
    return TextTable(str(path), dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)), separator)


def typed(cells: Sequence[str], decimal_comma: bool = False) -> np.ndarray:
    """A column as numbers, truth values or text; see `TextTable.frame`.

    >>> typed(["1", "", "3"]).tolist(), typed(["1,5", "2"], decimal_comma=True).tolist()
    ([1.0, nan, 3.0], [1.5, 2.0])
    >>> [typed(cells).tolist() for cells in (["007", "7"], ["1E2", "100"], ["1", "NA"])]
    [['007', '7'], ['1E2', '100'], ['1', 'NA']]
    """
    given = [cell for cell in cells if cell]
    plain = [cell.replace(",", ".") for cell in cells] if decimal_comma and _all_decimal(given) else cells
    if all(map(WHOLE.fullmatch, filter(None, plain))):
        numbers = [int(cell) if cell else None for cell in plain]
        largest = max((abs(number) for number in numbers if number is not None), default=0)
        if len(given) == len(cells) and largest < 1 << 63:
            return np.array(numbers, np.int64)
        if len(given) < len(cells) and largest <= EXACT:
            return np.array([np.nan if number is None else number for number in numbers], np.float64)
    elif all(map(NUMBER.fullmatch, filter(None, plain))):
        numbers = np.array([float(cell) if cell else np.nan for cell in plain])
        large = np.flatnonzero(np.abs(numbers) >= EXACT).tolist()
        if not np.isinf(numbers).any() and not any(WHOLE.fullmatch(plain[i]) for i in large):
            return numbers
    elif len(given) == len(cells) and {*given} <= {"True", "False"}:
        return np.array(cells) == "True"
    return np.array([cell or np.nan for cell in cells], object)


def _all_decimal(cells: Sequence[str]) -> bool:
    """Whether each is a number without a point, and a comma is among them at least once."""
    return any("," in cell for cell in cells) and not any("." in cell or cell.count(",") > 1 for cell in cells)


def _text(place: Path, what: str, name: str) -> str:
    try:
        data = place.read_bytes()
    except OSError as error:
        raise InputError(what, "be a file that can be read", f"{name!r} ({error.strerror})") from None
    encoding = next((encoding for mark, encoding in MARKS.items() if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in data[:2]:
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        got = f"{name!r} with other bytes in line {line}"
        raise InputError(what, "be text in UTF-8 or UTF-16", got, "Save it as CSV UTF-8.") from None
    if "\0" in text:
        raise InputError(what, "be a text table", f"{name!r}, which holds bytes that are no text")
    return text


def _by_separator(text: str, what: str, name: str, tabs: bool) -> tuple[str, list[list[str]]]:
    """The separator that gives each line as many cells as the first, at least two, and the rows.

    Raises:
        InputError: None does, or several.
    """
    heads = {separator: _head(text, separator) for separator in SEPARATORS}
    likely = [separator for separator, head in heads.items() if len(head) > 1] or [","]
    if tabs and "\t" in likely:
        likely = ["\t"]
    read, refused = {}, []
    for separator in likely:
        try:
            read[separator] = _rows(text, separator, what, name)
        except InputError as error:
            refused.append((len(heads[separator]), error))
    if len(read) > 1:
        got = f"{name!r}, which {' and '.join(SEPARATORS[separator] for separator in read)} separate equally well"
        raise InputError(what, "be separated in one way", got, "Put quotes around cells that hold one of them.")
    if not read:
        raise max(refused, key=lambda one: one[0])[1]
    return next(iter(read.items()))


def _head(text: str, separator: str) -> list[str]:
    try:
        return next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row), [])
    except csv.Error:
        return []


def _rows(text: str, separator: str, what: str, name: str) -> list[list[str]]:
    """The rows, without empty lines, each of as many cells as the first."""
    blanks = any(cell.startswith(" ") for cell in _head(text, separator)[1:])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=blanks, strict=True)
    be, rows = "be a table with column names in its first line", []
    try:
        for row in reader:
            if row and rows and len(row) != len(rows[0]):
                got = f"{name!r}, whose line {reader.line_num} has {len(row)} cells where the first has {len(rows[0])}"
                mend = "Separate cells by commas, semicolons or tabs; put those that hold one in quotes."
                raise InputError(what, be, got, mend)
            if row:
                rows.append(row)
    except csv.Error as error:
        raise InputError(what, be, f"{name!r} (line {reader.line_num}: {error})") from None
    if not rows:
        raise InputError(what, be, f"{name!r}, which is empty")
    return rows
