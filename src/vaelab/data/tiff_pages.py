"""Reads TIFF and OME-TIFF files: axes and channel names from the metadata."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from vaelab.data.png import Unreadable

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MEMORY_BYTES = 1 << 30
"""Larger arrays are unpacked into a temporary file instead of memory."""
COLUMN = {"Z": "z", "T": "time"}
PALETTE = 3

logging.getLogger("tifffile").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Stack:
    """Images of one form from one file."""

    images: np.ndarray
    """(image, channel, height, width), any type."""
    channels: tuple[str, ...]
    """One name per channel."""
    rows: tuple[dict[str, int], ...]
    """One per image: its place along each axis that is no image axis."""


def read_tiff(path: str, axes: str = "") -> list[Stack]:
    """The images of a TIFF file, one stack for each of its series.

    Y and X are the picture, C and S (samples) its channels; every place along any other axis (Z, T, pages) is an image
    of its own, and where it lay goes into the table.

    Args:
        path: The file.
        axes: One letter per dimension, slowest first, in place of what the metadata say, such as ``CYX``.

    Raises:
        Unreadable: The file is broken, packed in a way that needs another package, or has other dimensions.
    """
    from tifffile import TiffFile

    with TiffFile(path) as file:
        names = _ome_names(file.ome_metadata)
        series = [level.levels[0] for level in file.series]
        stacks = [_stack(s, axes, names.get(i, ()), path) for i, s in enumerate(series) if s.size]
    if not stacks:
        raise Unreadable("holds no image")
    return stacks


def _stack(series: Any, axes: str, names: tuple[str, ...], path: str) -> Stack:
    axes = axes.upper() or series.axes
    if len(axes) != len(series.shape):
        raise Unreadable(f"has the axes {series.axes} of sizes {series.shape}, not {axes}")
    if "Y" not in axes or "X" not in axes or len(set(axes)) != len(axes):
        raise Unreadable(f"has the axes {axes}: no picture of rows (Y) and columns (X)")
    pixels = _unpacked(series, path)
    others = [a for a in axes if a not in "CSYX"]
    order = [*others, *(a for a in "CSYX" if a in axes)]
    pixels = pixels.transpose([axes.index(a) for a in order])
    sizes = dict(zip(axes, series.shape, strict=True))
    count = math.prod(sizes[a] for a in others)
    planes = sizes.get("C", 1) * sizes.get("S", 1)
    images = pixels.reshape(count, planes, sizes["Y"], sizes["X"])
    places = np.ndindex(*(sizes[a] for a in others))
    rows = tuple({COLUMN.get(a, a.lower()): i for a, i in zip(others, place, strict=True)} for place in places)
    return Stack(images, _channel_names(planes, sizes, names), rows)


def _channel_names(planes: int, sizes: dict[str, int], names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) == planes and all(names) and len(set(names)) == planes:
        return names
    if planes == 1:
        return ("intensity",)
    if planes == sizes.get("S") and planes in (3, 4):
        return ("red", "green", "blue", "alpha")[:planes]
    return tuple(str(i) for i in range(planes))


def _unpacked(series: Any, path: str) -> np.ndarray:
    if series.keyframe.photometric == PALETTE:
        raise Unreadable("has a colour palette; convert it to colour or grey")
    try:
        return series.asarray(out="memmap" if series.nbytes > MEMORY_BYTES else None)
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
    return _by_pillow(series, path)


def _by_pillow(series: Any, path: str) -> np.ndarray:
    """Packings that tifffile leaves to another package, where Pillow reads them without loss."""
    planes = []
    with Image.open(path) as image:
        for page in series.pages:
            image.seek(page.index)
            planes.append(np.asarray(image))
    pixels = np.stack(planes)
    if pixels.dtype.newbyteorder("=") != series.dtype.newbyteorder("=") or pixels.size != series.size:
        packing = getattr(series.keyframe.compression, "name", series.keyframe.compression)
        raise Unreadable(f"is packed with {packing}, which needs the package imagecodecs")
    return pixels.reshape(series.shape)


def _ome_names(metadata: str | None) -> dict[int, tuple[str, ...]]:
    """Channel names of each image that the OME metadata name."""
    if not metadata:
        return {}
    try:
        root = ElementTree.fromstring(metadata)
    except ElementTree.ParseError:
        return {}
    images = [node for node in root if node.tag.endswith("}Image")]
    return {
        i: tuple(c.get("Name", "") for c in image.iter() if c.tag.endswith("}Channel"))
        for i, image in enumerate(images)
    }
