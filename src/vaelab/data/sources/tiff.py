"""Multi-page TIFF and OME-TIFF: one file or a folder of them, axes and channel names from the metadata."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from vaelab.data.assemble import assemble, path_facts
from vaelab.data.cache import Block, Item
from vaelab.data.collection import ImageCollection
from vaelab.data.files import describe, is_image_name, list_images, locate
from vaelab.data.picture import Alpha, without_alpha
from vaelab.data.pixels import to_stored
from vaelab.data.sources._base import Source
from vaelab.data.tiff_pages import Stack, count_images, read_tiff
from vaelab.errors import InputError
from vaelab.settings.ranges import PathText

ENDINGS = (".tif", ".tiff")


@dataclass(frozen=True, kw_only=True)
class TiffSource(Source):
    """TIFF files of any number of pages; each gives one image or many.

    Rows (Y) and columns (X) are the picture, C and samples its channels. Every place along another axis is an image
    of its own, with its place in the table: `z` for focal planes, `time`, and the axis' letter for others (`q` or `i`
    for pages without a name). No projection is made. A file with several series gives the images of each. Each file is
    read alone; planes that its metadata promise and that were never written are named in `left_out`. The table has
    `path` and, where there are subfolders, `label`.
    """

    opens: ClassVar[str] = "a .tif or .tiff file"

    path: PathText
    """A TIFF file, or a folder of them."""
    axes: str = ""
    """The axes of each file, a letter each, slowest first, in place of its metadata: ``CYX`` reads pages as
    channels."""
    channels: tuple[str, ...] = ()
    """Names of the channels, in place of those in the metadata."""
    alpha: Alpha = "opaque"
    """An alpha channel: must be opaque everywhere and is then left out; drop it; or keep it as a channel."""

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
        first, share = _images_below(place)
        if share <= 0.5:
            return int(share > 0)
        return 3 if _holds_many(first) else 1

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source."""
        if os.path.isdir(os.path.expanduser(self.path)):
            files = list_images(locate(self.path, "path", folder=True), "path")
        else:
            place = locate(self.path, "path", folder=False)
            files = [describe(str(place), place.name)]
        left_out = [(file.name, file.problem) for file in files if file.problem]
        items = [Item(file.name, (file,)) for file in files if not file.problem]
        reader = _TiffReader(self.axes, self.alpha)
        facts = path_facts(items)
        return assemble(
            items, facts, reader, channels=self.channels, left_out=left_out, strict=strict, progress=progress
        )


class _TiffReader:
    """Reads an item of one TIFF file."""

    def __init__(self, axes: str, alpha: Alpha):
        self.axes = axes
        self.alpha: Alpha = alpha

    def __repr__(self) -> str:
        return f"tiff {self.axes.upper()} {self.alpha}"

    def __call__(self, item: Item) -> list[Block]:
        return [self._block(stack) for stack in read_tiff(item.files[0].path, self.axes)]

    def _block(self, stack: Stack) -> Block:
        images, channels = without_alpha(stack.images, stack.channels, self.alpha)
        rows, missing = stack.rows, stack.missing
        if images.dtype.kind == "f" and len(images) > 1:
            finite = np.array([np.isfinite(image).all() for image in images])
            if 0 < finite.sum() < len(images):
                lost = [" ".join(f"{k} {v}" for k, v in rows[i].items()) for i in np.flatnonzero(~finite)]
                more = f" and {len(lost) - 8:,} more" if len(lost) > 8 else ""
                reason = f"has images with pixels that are not finite: {', '.join(lost[:8])}{more}"
                images, missing = images[finite], (*missing, ("", reason))
                rows = tuple(row for row, good in zip(rows, finite, strict=True) if good)
        return Block(to_stored(images), channels, rows, missing, stack.notes)


def _images_below(folder: Path) -> tuple[str, float]:
    """The first TIFF file below a folder, in the order of names, and the share of TIFFs among all images by name."""
    first, tiffs, images = "", 0, 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or not is_image_name(name):
                continue
            images += 1
            if name.lower().endswith(ENDINGS):
                first, tiffs = first or os.path.join(place, name), tiffs + 1
    return first, tiffs / max(images, 1)


def _holds_many(path: str) -> bool:
    """Whether the file is a TIFF of several images, or of OME."""
    try:
        return path.lower().endswith((".ome.tif", ".ome.tiff")) or count_images(path) > 1
    except Exception:  # a broken first file is the reader's to name
        return False
