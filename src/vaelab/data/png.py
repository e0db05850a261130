"""Reads PNG files whole and checked: every chunk's checksum, and 16 bits a channel where the file has them."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_PIXELS = 1 << 28
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""Channels of each colour type: grey, colour, grey + alpha, colour + alpha; palettes (3) are read elsewhere."""
PASSES = {
    (0, 8): ("L", ("L",)),
    (2, 8): ("RGB", ("RGB",)),
    (4, 8): ("LA", ("LA",)),
    (6, 8): ("RGBA", ("RGBA",)),
    (0, 16): ("I;16", ("I;16B",)),
    (2, 16): ("RGB", ("RGB;16B", "RGB;16L")),
    (4, 16): ("RGBA", ("RGBA",)),
    (6, 16): ("RGBA", ("RGBA;16B", "RGBA;16L")),
}
"""(colour type, bits) -> Pillow's mode and how its decoder reads the rows. Pillow itself cuts 16-bit colour to 8 bits;
read once for the high and once for the low bytes, nothing is lost."""
HEAD = struct.Struct(">I4s")
HEADER = struct.Struct(">IIBBBBB")


class Unreadable(Exception):
    """Why a file cannot be used, in words that follow its name."""


def read_png(data: bytes) -> np.ndarray | None:
    """Pixels (height, width, channel), uint8 or uint16, as stored; None for palettes and less than 8 bits.

    Args:
        data: The whole file.

    Raises:
        Unreadable: The file is truncated or damaged.

    *Source*: PNG specification, third edition, sections 5 and 11, https://www.w3.org/TR/png-3/
    """
    (width, height, bits, colour, _, _, interlace), rows = _chunks(data)
    if not 0 < width * height <= MOST_PIXELS:
        raise Unreadable(f"is {height}x{width} pixels")
    if (colour, bits) not in PASSES:
        return None
    mode, raw_modes = PASSES[colour, bits]
    try:
        planes = [Image.frombytes(mode, (width, height), rows, "zip", raw, interlace).tobytes() for raw in raw_modes]
    except ValueError:
        raise Unreadable("is truncated or damaged: its pixels cannot be unpacked") from None
    shape = (height, width, CHANNELS[colour])
    if bits == 8:
        return np.frombuffer(planes[0], np.uint8).reshape(shape)
    if len(planes) == 2:
        high, low = (np.frombuffer(plane, np.uint8).reshape(shape) for plane in planes)
        return (high.astype(np.uint16) << 8) | low
    stored = "<u2" if mode == "I;16" else ">u2"
    return np.frombuffer(planes[0], stored).reshape(shape).astype(np.uint16, copy=False)


def _chunks(data: bytes) -> tuple[tuple[int, ...], bytes | memoryview]:
    """The header's numbers and the compressed rows."""
    view, end, header, rows = memoryview(data), len(data), None, []
    place = len(SIGNATURE)
    while place + 12 <= end:
        length, kind = HEAD.unpack_from(data, place)
        stop = place + 8 + length
        if stop + 4 > end:
            break
        if zlib.crc32(view[place + 4 : stop]) != int.from_bytes(view[stop : stop + 4], "big"):
            raise Unreadable("is damaged: a checksum does not hold")
        if kind == b"IDAT":
            rows.append(view[place + 8 : stop])
        elif kind == b"IHDR" and length == HEADER.size:
            header = HEADER.unpack_from(data, place + 8)
        elif kind == b"IEND":
            if header is None or not rows:
                raise Unreadable("is damaged: it holds no pixels")
            return header, rows[0] if len(rows) == 1 else b"".join(rows)
        place = stop + 4
    raise Unreadable("is truncated")
