"""A table that names image files: one column of paths, or one for each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from vaelab.data.assemble import assemble
from vaelab.data.cache import Item
from vaelab.data.collection import ImageCollection
from vaelab.data.files import describe, locate
from vaelab.data.pixels import Alpha, Pair, PixelReader
from vaelab.data.sources._base import Source
from vaelab.data.tables import TextTable, read_table
from vaelab.errors import InputError, unknown_name
from vaelab.settings.ranges import PathText

PATH_COLUMNS = ("path", "file", "filename", "file_name", "image", "image_path", "filepath", "file_path")


@dataclass(frozen=True, kw_only=True)
class TableSource(Source):
    """The images that a CSV (or .tsv) names, one row each; all its columns become the collection's table.

    Cells are separated by commas, semicolons or tabs; see `vaelab.data.tables` for what is read as a number.
    """

    opens: ClassVar[str] = "a .csv or .tsv file"

    path: PathText
    """The table, with column names in its first line."""
    path_columns: tuple[str, ...] = ()
    """The column with the paths, or one column for each channel, in the order of the channels. Left out: the column
    called path, file, filename or image."""
    root: PathText | None = None
    """Folder that the paths start from; left out, the table's own folder."""
    channels: tuple[str, ...] = ()
    """Names of the channels; left out, the names of several path columns, or those the files give."""
    crop: Pair | None = None
    """Height and width of the centre to keep, in pixels."""
    size: Pair | None = None
    """Height and width to resize to, in pixels, after the crop."""
    alpha: Alpha = "opaque"
    """An alpha channel: must be opaque everywhere and is then left out; drop it; or keep it as a channel."""

    @classmethod
    def recognises(cls, place: Path, names: Sequence[str]) -> int:
        """See Source."""
        return 3 if place.suffix.lower() in (".csv", ".tsv") and not place.is_dir() else 0

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source."""
        table = read_table(self.path, "path")
        columns = self._columns(table)
        place = locate(self.path, "path", folder=False)
        root = place.parent if self.root is None else locate(self.root, "root", folder=True)
        items, kept, left_out = [], [], []
        for i, names in enumerate(zip(*(table.columns[column] for column in columns), strict=True)):
            if not all(names):
                left_out.append((f"row {i + 1}", "names no file"))
                continue
            items.append(_item(names, root))
            kept.append(i)
        facts = table.frame.iloc[kept].reset_index(drop=True)
        channels = self.channels or (columns if len(columns) > 1 else ())
        reader = PixelReader(crop=self.crop, size=self.size, alpha=self.alpha)
        return assemble(
            items,
            facts,
            reader,
            channels=channels,
            left_out=left_out,
            notes=table.notes,
            strict=strict,
            progress=progress,
        )

    def _columns(self, table: TextTable) -> tuple[str, ...]:
        for name in self.path_columns:
            if name not in table.columns:
                raise unknown_name("path_columns", name, table.columns)
        if self.path_columns:
            return self.path_columns
        found = [column for column in table.columns if column.lower() in PATH_COLUMNS]
        if len(found) != 1:
            got = f"{' and '.join(found) or 'none'} among {', '.join(table.columns)}"
            be = "have one column called path, file, filename or image"
            raise InputError("path", be, got, "Name it in source.path_columns.")
        return (found[0],)


def _item(names: Sequence[str], root: Path) -> Item:
    files = tuple(describe(str(root / name), name) for name in (name.replace("\\", "/") for name in names))
    return Item(names[0], files)
