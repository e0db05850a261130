"""Reads one image file as stored: any number of channels, 8-bit, 16-bit or float, nothing coerced to RGB."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from vaelab.data.png import MOST_PIXELS, SIGNATURE, Unreadable, read_png
from vaelab.data.tiff_pages import TIFF_STARTS, read_tiff
from vaelab.settings.ranges import AtLeast1, Settings

PART_BYTES = 1 << 16
Alpha = Literal["opaque", "drop", "keep"]
Pair = tuple[AtLeast1, AtLeast1]
"""Height and width, in pixels."""
NAMES = {
    "L": "intensity",
    "I": "intensity",
    "F": "intensity",
    "R": "red",
    "G": "green",
    "B": "blue",
    "A": "alpha",
    "1": "intensity",
}
FROM_COUNT = {
    1: ("intensity",),
    2: ("intensity", "alpha"),
    3: ("red", "green", "blue"),
    4: ("red", "green", "blue", "alpha"),
}


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

        Palettes become the colours they stand for, or grey where the whole palette is grey. The orientation that a
        camera notes beside the pixels is not applied.

        Raises:
            Unreadable: The file is broken, or not one image.
        """
        pixels, names = _read(_contents(path), path)
        pixels, names = self._without_alpha(pixels, names)
        image = to_stored(pixels.transpose(2, 0, 1))
        return self._framed(image), names

    def _without_alpha(self, pixels: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
        if names[-1] != "alpha" or self.alpha == "keep":
            return pixels, names
        top = 1.0 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
        if self.alpha == "opaque" and (pixels[..., -1] != top).any():
            raise Unreadable("has an alpha channel that is not opaque; set alpha to drop or keep it")
        return pixels[..., :-1], names[:-1]

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
        Unreadable: Integers that float32 does not hold, or values that are no real numbers.
    """
    kind = pixels.dtype
    if kind.kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255)
    if kind in (np.uint8, np.uint16):
        return pixels.astype(kind.newbyteorder("="), copy=False)
    if kind.kind not in "iuf":
        raise Unreadable(f"holds {kind} values, not real numbers")
    if kind.kind in "iu" and pixels.size and max(abs(int(pixels.min())), int(pixels.max())) > 1 << 24:
        raise Unreadable("holds integers over 16,777,216, more than 32-bit floats resolve")
    with np.errstate(over="ignore"):
        return pixels.astype(np.float32)


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


def _read(data: bytes, path: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(height, width, channel) and channel names, by what the file is, whatever its name says."""
    if data.startswith(SIGNATURE):
        pixels = read_png(data)
        if pixels is not None:
            return pixels, FROM_COUNT[pixels.shape[-1]]
    if data.startswith(TIFF_STARTS):
        stacks = read_tiff(path)
        if len(stacks) != 1 or len(stacks[0].images) != 1:
            count = sum(len(stack.images) for stack in stacks)
            raise Unreadable(f"holds {count} images; the source tiff reads such files")
        return np.moveaxis(stacks[0].images[0], 0, -1), stacks[0].channels
    return _read_other(data)


def _read_other(data: bytes) -> tuple[np.ndarray, tuple[str, ...]]:
    """By Pillow: JPEG, BMP, GIF, WebP, palettes and many more."""
    try:
        image = Image.open(io.BytesIO(data))
    except Image.UnidentifiedImageError:
        raise Unreadable("is not an image that can be read") from None
    with image:
        if image.width * image.height > MOST_PIXELS:
            raise Unreadable(f"is {image.height}x{image.width} pixels")
        if image.format in ("GIF", "WEBP") and getattr(image, "n_frames", 1) > 1:
            raise Unreadable(f"holds {getattr(image, 'n_frames', 2)} frames")
        image.load()
        image = _plain(image)
        pixels = np.asarray(image)
        if image.mode == "I" and image.format in ("PNG", "PPM"):
            pixels = pixels.astype(np.uint16)
        bands = image.getbands()
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    return pixels, tuple(NAMES.get("I" if band.startswith("I;") else band, band.lower()) for band in bands)


def _plain(image: Image.Image) -> Image.Image:
    """Without a palette or packed bits."""
    if image.mode == "1":
        return image.convert("L")
    if image.mode not in ("P", "PA"):
        return image
    if image.mode == "PA" or "transparency" in image.info:
        return image.convert("RGBA")
    colours = np.frombuffer(image.palette.tobytes() if image.palette else b"", np.uint8)
    colours = colours[: len(colours) // 3 * 3].reshape(-1, 3)
    grey = bool((colours == colours[:, :1]).all()) and image.palette is not None and image.palette.mode == "RGB"
    return image.convert("RGB").getchannel(0) if grey else image.convert("RGB")


def _resized(channel: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """One channel at another size: bilinear, over the whole area that shrinks into a pixel."""
    whole = channel.dtype == np.uint8
    plane = Image.fromarray(channel if whole else channel.astype(np.float32))
    small = np.asarray(plane.resize((size[1], size[0]), Image.Resampling.BILINEAR))
    return small if whole or channel.dtype == np.float32 else np.rint(small).astype(channel.dtype)
