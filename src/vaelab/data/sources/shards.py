"""Images that `vaelab data pack` wrote: millions of them in a few mapped files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from vaelab.data.assemble import name_channels
from vaelab.data.cache import refuse_left_out
from vaelab.data.collection import ImageCollection
from vaelab.data.files import locate
from vaelab.data.shards import INDEX, TABLE, Layout, ShardedImages, read_index, shard_name
from vaelab.data.sources._base import Source
from vaelab.data.sources.npz import read_arrays
from vaelab.data.table_arrays import from_arrays
from vaelab.errors import InputError
from vaelab.settings.ranges import PathText


@dataclass(frozen=True, kw_only=True)
class ShardsSource(Source):
    """Images that were packed by `vaelab data pack`, memory-mapped, with their table.

    Pixels, table, names, factors, and what was left out are those of the source that was packed. A shard that is
    missing, cut short or altered is refused by name: its size when it is opened, its pixels when they are first read.
    """

    opens: ClassVar[str] = "a folder of shards"

    path: PathText
    """The folder with shards.json."""
    channels: tuple[str, ...] = ()
    """Names of the channels, in order, in place of those that were packed."""

    @classmethod
    def recognises(cls, place: Path, names: Sequence[str]) -> int:
        """See Source."""
        return 3 if INDEX in names else 0

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source."""
        folder = locate(self.path, "path", folder=True)
        if not (folder / INDEX).exists():
            raise InputError("path", f"be a folder of shards, with {INDEX}", f"{self.path!r}, which has none")
        layout, record = read_index(folder)
        if not record["whole"]:
            there = sum((folder / shard_name(number)).exists() for number in range(layout.num_shards))
            got = f"{self.path!r}, whose packing was interrupted after {there} of {layout.num_shards} shards"
            raise InputError("path", "be packed to the end", got, "Give the same vaelab data pack again.")
        left_out = tuple((str(name), str(reason)) for name, reason in record["left_out"])
        refuse_left_out(left_out, "path", strict)
        table, files = _table(folder, record, layout)
        return ImageCollection(
            images=ShardedImages(folder, layout, record["sums"]),
            table=table,
            channels=name_channels(self.channels, tuple(record["channels"])),
            factors=tuple(record["factors"]),
            left_out=left_out,
            files=files,
            notes=tuple(record["notes"]),
        )


def _table(folder: Path, record: dict[str, Any], layout: Layout) -> tuple[pd.DataFrame, Any]:
    """The table, and the number of the file of each image."""
    path = folder / TABLE
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != record["table"]:
                raise ValueError
            file.seek(0)
            arrays, _ = read_arrays(file, path.stat().st_size)
        return from_arrays(record["columns"], arrays, layout.num_images), arrays.get("files")
    except (OSError, ValueError):
        mend = "Pack the images into this folder again, which mends it, or put the file back."
        raise InputError(str(path), "be the table that was packed", "another, or nothing", mend) from None
