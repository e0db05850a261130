"""From decoded images and what is known of them to a collection."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from vaelab.data.cache import Block, Item, decode, nothing_usable, refuse_left_out
from vaelab.data.collection import ImageCollection
from vaelab.data.pixels import PixelReader
from vaelab.data.png import Unreadable
from vaelab.errors import InputError


def assemble(
    items: Sequence[Item],
    facts: pd.DataFrame,
    reader: PixelReader | Callable[[Item], list[Block]],
    *,
    channels: tuple[str, ...] = (),
    left_out: Sequence[tuple[str, str]] = (),
    notes: Sequence[str] = (),
    what: str = "path",
    strict: bool = False,
    progress: bool = False,
) -> ImageCollection:
    """The collection of all items that can be read.

    Args:
        items: What is decoded, in order; a file per channel where an item has several.
        facts: Columns with one value per item.
        reader: How an item is read.
        channels: Names of the channels in place of those that the files give.
        left_out: What was left out before decoding.
        notes: What a reader should know of how it was read.
        what: The field that named the files, for messages.
        strict: Refuse the collection where anything is left out.
        progress: Show a bar for work of over a second.

    Raises:
        InputError: There is no usable image, or `strict` and anything is left out, or the names do not fit.
    """
    read = _ImageReader(reader) if isinstance(reader, PixelReader) else reader
    decoded = decode(items, read, settings=read, progress=progress) if items else []
    if isinstance(decoded, list):
        raise nothing_usable([*left_out, *decoded], what)
    left_out = tuple(sorted((*left_out, *decoded.left_out)))
    refuse_left_out(left_out, what, strict)
    if isinstance(reader, PixelReader) and reader.size is None and any(map(_only_size_differs, decoded.left_out)):
        notes = [*notes, "images of several sizes go together once they are resized: --data.source.size HEIGHT,WIDTH"]
    table = pd.DataFrame(facts).iloc[decoded.items].reset_index(drop=True)
    table = beside(pd.DataFrame(decoded.rows, index=table.index), table, first=False)
    numbers = {}
    files = np.array([numbers.setdefault(items[i].files, len(numbers)) for i in decoded.items.tolist()], np.int64)
    return ImageCollection(
        images=decoded.images,
        table=table,
        channels=name_channels(channels, decoded.channels),
        files=files,
        left_out=left_out,
        notes=(*notes, *decoded.notes),
    )


def _only_size_differs(left_out: tuple[str, str]) -> bool:
    """Whether a file was left out for its height and width alone."""
    forms = re.fullmatch(r"is (\d+)x\d+x\d+ (\w+), most are (\d+)x\d+x\d+ (\w+)", left_out[1])
    return forms is not None and forms[1] == forms[3] and forms[2] == forms[4]


def beside(ours: pd.DataFrame, theirs: pd.DataFrame, *, first: bool = True) -> pd.DataFrame:
    """What we know of the images beside what the user's table says, whose columns stay where names meet.

    Args:
        ours: One row per image.
        theirs: Likewise.
        first: Ours stand first.
    """
    ours = ours.drop(columns=[column for column in ours.columns if column in theirs.columns])
    return pd.concat([ours, theirs] if first else [theirs, ours], axis=1)


def name_channels(given: tuple[str, ...], found: tuple[str, ...]) -> tuple[str, ...]:
    """The names that the user gave, else those found.

    Raises:
        InputError: As many names as channels are not given, or a name twice.
    """
    if given and (len(given) != len(found) or len(set(given)) != len(given)):
        be = f"name each of the {len(found)} channels once, or be left out"
        raise InputError("channels", be, ", ".join(given))
    return given or found


def path_facts(items: Sequence[Item]) -> pd.DataFrame:
    """`path` of each item and, where there are subfolders, `label`: their names joined by slashes."""
    paths = [item.name for item in items]
    labels = [path.rpartition("/")[0] for path in paths]
    return pd.DataFrame({"path": paths, "label": labels} if any(labels) else {"path": paths})


class _ImageReader:
    """Reads an item of one image: one file, or one file per channel, each of a single channel."""

    def __init__(self, reader: PixelReader):
        self.reader = reader

    def __repr__(self) -> str:
        return repr(self.reader)

    def __call__(self, item: Item) -> list[Block]:
        if len(item.files) == 1:
            picture = self.reader.read(item.files[0].path)
            return [Block(picture.pixels[None], picture.names, notes=picture.notes)]
        planes = []
        for file in item.files:
            image, _ = self.reader(file.path)
            if len(image) != 1:
                raise Unreadable(f"has {len(image)} channels in {file.name}, not one")
            planes.append(image)
        if len({(plane.shape, plane.dtype) for plane in planes}) > 1:
            raise Unreadable("has channels of different sizes or pixel types")
        return [Block(np.stack([plane[0] for plane in planes])[None], tuple(map(str, range(len(planes)))))]
