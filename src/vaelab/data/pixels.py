"""Reads one image file as stored: any number of channels, 8-bit, 16-bit or float, nothing coerced to RGB."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vaelab.data import jpeg2000, netpbm
from vaelab.data.limits import Unreadable
from vaelab.data.photographs import read_photograph
from vaelab.data.picture import Alpha, Picture, without_alpha
from vaelab.data.png import SIGNATURE, read_png
from vaelab.data.tiff_pages import TIFF_STARTS, read_tiff
from vaelab.settings.ranges import AtLeast1, Settings

PART_BYTES = 1 << 16
Pair = tuple[AtLeast1, AtLeast1]
"""Height and width, in pixels."""


@dataclass(frozen=True, kw_only=True)
class PixelReader(Settings):
    """How the pixels of one file become an image of a collection."""

    crop: Pair | None = None
    """Height and width of the centre to keep, in pixels; before `size`."""
    size: Pair | None = None
    """Height and width to resize to, in pixels."""
    alpha: Alpha = "opaque"
    """An alpha channel: must be opaque everywhere and is then left out; drop it; or keep it as a channel."""

    def __call__(self, path: str) -> tuple[np.ndarray, tuple[str, ...]]:
        """One image (channel, height, width), uint8, uint16 or float32, and the names of its channels.

        Raises:
            Unreadable: The file is broken, or not one image.
        """
        picture = self.read(path)
        return picture.pixels, picture.names

    def read(self, path: str) -> Picture:
        """The same, with how it was read where that could be otherwise.

        Palettes become the colours they stand for, or grey where the whole palette is grey. Photographs are turned as
        the camera noted; the orientation of a TIFF, which is a measurement, is not applied.

        Raises:
            Unreadable: The file is broken, or not one image.
        """
        picture = _read(_contents(path), path)
        pixels, names = without_alpha(picture.pixels, picture.names, self.alpha)
        return Picture(self._framed(to_stored(pixels)), names, picture.notes)

    def _framed(self, image: np.ndarray) -> np.ndarray:
        _, height, width = image.shape
        if self.crop is not None:
            rows, columns = self.crop
            if rows > height or columns > width:
                raise Unreadable(f"is {height}x{width} pixels, smaller than the crop of {rows}x{columns}")
            top, left = (height - rows) // 2, (width - columns) // 2
            image = image[:, top : top + rows, left : left + columns]
        if self.size is not None and image.shape[1:] != self.size:
            image = np.stack([_resized(channel, self.size) for channel in image])
        return image


def to_stored(pixels: np.ndarray) -> np.ndarray:
    """The same values as uint8, uint16 or float32: the types that a collection holds.

    True becomes 255; signed and longer integers become floats, which hold them exactly up to 16,777,216.

    Raises:
        Unreadable: Integers or sizes that float32 does not hold, or values that are no real numbers.
    """
    if pixels.dtype == np.uint8:
        return pixels
    kind = pixels.dtype.newbyteorder("=")
    if kind.kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255)
    if kind == np.uint16:
        return pixels.astype(kind, copy=False)
    if kind.kind not in "iuf":
        raise Unreadable(f"holds {kind} values, not real numbers")
    if kind.kind in "iu" and pixels.size and max(abs(int(pixels.min())), int(pixels.max())) > 1 << 24:
        raise Unreadable("holds integers over 16,777,216, more than 32-bit floats resolve")
    with np.errstate(over="ignore"):
        stored = pixels.astype(np.float32, copy=False)
    if kind.kind == "f" and not np.isfinite(stored).all():
        count = int(np.count_nonzero(~np.isfinite(stored)))
        raise Unreadable(f"holds {count:,} NaN or infinite value{'s' if count > 1 else ''}")
    return stored


def _contents(path: str) -> bytes:
    """The whole file, by fewer calls to the system than a file object makes."""
    file = os.open(path, os.O_RDONLY)
    try:
        parts = []
        while part := os.read(file, PART_BYTES):
            parts.append(part)
    finally:
        os.close(file)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _read(data: bytes, path: str) -> Picture:
    """One picture by what the file is, whatever its name says."""
    if data.startswith(SIGNATURE):
        return read_png(data)
    if data.startswith(TIFF_STARTS):
        stacks = read_tiff(path)
        if len(stacks) != 1 or len(stacks[0].images) != 1:
            count = sum(len(stack.images) for stack in stacks)
            raise Unreadable(f"holds {count} images; the source tiff reads such files")
        (stack,) = stacks
        if lacks := [reason for name, reason in stack.missing if not name]:
            raise Unreadable(f"{lacks[0]}; the source tiff reads what is there")
        return Picture(stack.images[0], stack.channels, stack.notes)
    if data.startswith(netpbm.STARTS):
        return netpbm.read_netpbm(data)
    if data.startswith(jpeg2000.STARTS):
        return jpeg2000.read_jpeg2000(data)
    return read_photograph(data, path)


def _resized(channel: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """One channel at another size: bilinear, over the whole area that shrinks into a pixel."""
    whole = channel.dtype == np.uint8
    plane = Image.fromarray(channel if whole else channel.astype(np.float32))
    small = np.asarray(plane.resize((size[1], size[0]), Image.Resampling.BILINEAR))
    return small if whole or channel.dtype == np.float32 else np.rint(small).astype(channel.dtype)
