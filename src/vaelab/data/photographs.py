"""Reads the formats of photographs and drawings through Pillow: JPEG, BMP, GIF, WebP, TGA, PCX and SGI."""

from __future__ import annotations

import io
import os

import numpy as np
from PIL import Image

from vaelab.data.limits import Unreadable, check_image
from vaelab.data.picture import COLOURS, INKS, ORIENTATION, Picture, coloured, upright, valid_orientation

FORMATS = ("JPEG", "BMP", "GIF", "WEBP", "SGI")
"""Known by how they begin."""
BY_NAME = {".tga": "TGA", ".pcx": "PCX", ".dib": "DIB"}
"""Known by their names alone: nearly any bytes begin like one."""
BANDS = {"L": ("intensity",), "RGB": COLOURS, "CMYK": INKS, "LA": ("intensity", "alpha"), "RGBA": (*COLOURS, "alpha")}
PALETTE = "P"
SGI_START, SGI_DEEP = b"\x01\xda", 2


def read_photograph(data: bytes, path: str) -> Picture:
    """The pixels as Pillow decodes them, upright as the camera noted; a palette as the colours it stands for.

    Args:
        data: The whole file.
        path: The file, for the ending of its name.

    Raises:
        Unreadable: It is none of these formats, damaged, of several frames, or deeper than Pillow reads it.
    """
    formats = [*FORMATS, *filter(None, [BY_NAME.get(os.path.splitext(path)[1].lower())])]
    if data.startswith(SGI_START) and data[3:4] == bytes([SGI_DEEP]):
        raise Unreadable("has 16 bits a channel, which SGI files are not read with; convert it to PNG or TIFF")
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
    except Image.UnidentifiedImageError:
        raise Unreadable("is not an image that can be read") from None
    except Image.DecompressionBombError:
        raise Unreadable("is over the limit of 256 MiB when unpacked") from None
    with image:
        check_image(image.height, image.width, len(image.getbands()))
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            raise Unreadable(f"holds {frames} frames")
        turn = valid_orientation(image.getexif().get(ORIENTATION)) if image.format in ("JPEG", "WEBP") else 1
        image.load()
        return upright(_picture(image), turn)


def _picture(image: Image.Image) -> Picture:
    clear = image.info.get("transparency")
    if image.mode == PALETTE and image.palette is not None:
        mode = image.palette.mode
        colours = np.frombuffer(image.palette.tobytes(), np.uint8)
        colours = colours[: len(colours) // len(mode) * len(mode)].reshape(-1, len(mode))
        alphas = colours[:, 3] if mode == "RGBA" else _opacities(clear)
        return coloured(np.asarray(image), colours[:, :3], alphas)
    if image.mode == "1":
        image = image.convert("L")
    elif clear is not None and image.mode in ("L", "RGB"):
        image = image.convert("LA" if image.mode == "L" else "RGBA")
    if image.mode not in BANDS:
        raise Unreadable(f"has pixels of the kind {image.mode}; convert it to PNG or TIFF")
    pixels = np.asarray(image)
    return Picture(pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1), BANDS[image.mode])


def _opacities(clear: object) -> np.ndarray | None:
    """Of the palette's first entries, from the number of the transparent one or from bytes."""
    if isinstance(clear, bytes):
        return np.frombuffer(clear[:256], np.uint8)
    return None if not isinstance(clear, int) else np.where(np.arange(256) == clear, 0, 255).astype(np.uint8)
