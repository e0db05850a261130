"""Multi-page TIFF and OME-TIFF: one file or a folder of them, axes and channel names from the metadata."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from vaelab.data.assemble import assemble, path_facts
from vaelab.data.cache import Block, Item
from vaelab.data.collection import ImageCollection
from vaelab.data.files import describe, is_image_name, list_images, locate
from vaelab.data.pixels import to_stored
from vaelab.data.sources._base import Source
from vaelab.data.tiff_pages import read_tiff
from vaelab.errors import InputError
from vaelab.settings.ranges import PathText

ENDINGS = (".tif", ".tiff")


@dataclass(frozen=True, kw_only=True)
class TiffSource(Source):
    """TIFF files of any number of pages; each gives one image or many.

    Rows (Y) and columns (X) are the picture, C and samples its channels. Every place along another axis is an image
    of its own, with its place in the table: `z` for focal planes, `time`, and the axis' letter for others (`q` or `i`
    for pages without a name). No projection is made. A file with several series gives the images of each. The table
    has `path` and, where there are subfolders, `label`.
    """

    opens: ClassVar[str] = "a .tif or .tiff file"

    path: PathText
    """A TIFF file, or a folder of them."""
    axes: str = ""
    """The axes of each file, a letter each, slowest first, in place of its metadata: ``CYX`` reads pages as
    channels."""
    channels: tuple[str, ...] = ()
    """Names of the channels, in place of those in the metadata."""

    def __post_init__(self):
        super().__post_init__()
        axes = self.axes.upper()
        if axes and (not axes.isalpha() or len(set(axes)) != len(axes) or not {"Y", "X"} <= set(axes)):
            raise InputError("axes", "be letters, each once, with Y and X among them, such as ZCYX", repr(self.axes))

    @classmethod
    def recognises(cls, place: Path, names: Sequence[str]) -> int:
        """See Source."""
        if not place.is_dir():
            return 3 if place.suffix.lower() in ENDINGS else 0
        first = _first_image(place, names)
        return 3 if _holds_many(first) else int(first.lower().endswith(ENDINGS))

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source."""
        if Path(self.path).expanduser().is_dir():
            files = list_images(locate(self.path, "path", folder=True), "path")
        else:
            place = locate(self.path, "path", folder=False)
            files = [describe(str(place), place.name)]
        left_out = [(file.name, file.problem) for file in files if file.problem]
        items = [Item(file.name, (file,)) for file in files if not file.problem]
        reader = _TiffReader(self.axes)
        facts = path_facts(items)
        return assemble(
            items, facts, reader, channels=self.channels, left_out=left_out, strict=strict, progress=progress
        )


class _TiffReader:
    """Reads an item of one TIFF file."""

    def __init__(self, axes: str):
        self.axes = axes

    def __repr__(self) -> str:
        return f"tiff {self.axes.upper()}"

    def __call__(self, item: Item) -> list[Block]:
        stacks = read_tiff(item.files[0].path, self.axes)
        return [Block(to_stored(stack.images), stack.channels, stack.rows) for stack in stacks]


def _first_image(folder: Path, names: Sequence[str]) -> str:
    """The first file that is an image by its name, or nothing; the folder's names are in order."""
    places = (os.path.join(folder, name) for name in names if is_image_name(name) and not name.startswith("."))
    found = next((place for place in places if os.path.isfile(place)), "")
    below = () if found else (folder / name for name in names)
    folders = (place for place in below if place.is_dir() and not place.is_symlink())
    return found or next((first for place in folders if (first := _first_image(place, sorted(os.listdir(place))))), "")


def _holds_many(path: str) -> bool:
    """Whether the file is a TIFF of several images, or of OME."""
    if not path.lower().endswith(ENDINGS):
        return False
    try:
        stacks = read_tiff(path)
    except Exception:  # a broken first file is the reader's to name
        return False
    return path.lower().endswith((".ome.tif", ".ome.tiff")) or len(stacks) > 1 or len(stacks[0].images) > 1
