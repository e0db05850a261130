"""Reads PNG files whole and checked: every chunk's checksum, every row, all 16 bits where the file has them."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np
from PIL import Image

from vaelab.data.limits import Unreadable, check_image
from vaelab.data.picture import FROM_COUNT, Picture, coloured, orientation, upright

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Channels of each colour type: grey, colour, palette, grey + alpha, colour + alpha."""
GREY, COLOUR, PALETTE = 0, 2, 3
PASSES = {
    (0, 1): ("P", ("P;1",)),
    (0, 2): ("P", ("P;2",)),
    (0, 4): ("P", ("P;4",)),
    (0, 8): ("L", ("L",)),
    (2, 8): ("RGB", ("RGB",)),
    (3, 1): ("P", ("P;1",)),
    (3, 2): ("P", ("P;2",)),
    (3, 4): ("P", ("P;4",)),
    (3, 8): ("P", ("P",)),
    (4, 8): ("LA", ("LA",)),
    (6, 8): ("RGBA", ("RGBA",)),
    (0, 16): ("I;16", ("I;16B",)),
    (2, 16): ("RGB", ("RGB;16B", "RGB;16L")),
    (4, 16): ("RGBA", ("RGBA",)),
    (6, 16): ("RGBA", ("RGBA;16B", "RGBA;16L")),
}
"""(colour type, bits) -> Pillow's mode and how its decoder reads the rows. Pillow itself cuts 16-bit colour to 8 bits;
read once for the high and once for the low bytes, nothing is lost."""
UNWRITTEN = b"\xb5"
BEFORE = {"L": 0xB5, "P": 0xB5, "LA": (0xB5,) * 2, "RGB": (0xB5,) * 3, "RGBA": (0xB5,) * 4, "I;16": 0xB5B5}
HEAD = struct.Struct(">I4s")
HEADER = struct.Struct(">IIBBBBB")


class _Chunks(NamedTuple):
    """What a file's chunks hold."""

    header: tuple[int, ...]
    rows: list[memoryview]
    others: dict[bytes, bytes]
    """Of the chunks that change what the pixels mean, the first of each kind."""


def read_png(data: bytes) -> Picture:
    """The pixels as stored, uint8 or uint16; grey of 1, 2 or 4 bits as the part of 255 that it stands for.

    Args:
        data: The whole file.

    Raises:
        Unreadable: The file is truncated, damaged or animated.

    *Source*: PNG specification, third edition, sections 5, 11 and 13.12, https://www.w3.org/TR/png-3/
    """
    chunks = _chunks(data)
    width, height, bits, colour, packing, filters, interlace = chunks.header
    if (colour, bits) not in PASSES or packing or filters or interlace > 1:
        raise Unreadable("is damaged: its header is none of the specification's")
    check_image(height, width, CHANNELS[colour], max(1, bits // 8))
    if b"acTL" in chunks.others:
        raise Unreadable("is an animation of several frames")
    pixels = _pixels(chunks)
    if not chunks.others and bits >= 8:
        return Picture(pixels.transpose(2, 0, 1), FROM_COUNT[pixels.shape[-1]])
    picture = _with_others(pixels, bits, colour, chunks.others)
    return upright(picture, orientation(chunks.others[b"eXIf"])) if b"eXIf" in chunks.others else picture


def _pixels(chunks: _Chunks) -> np.ndarray:
    """(height, width, channel)."""
    width, height, bits, colour, _, _, interlace = chunks.header
    mode, raw_modes = PASSES[colour, bits]
    rows = chunks.rows[0] if len(chunks.rows) == 1 else b"".join(chunks.rows)
    try:
        planes = [_unpacked(mode, (width, height), rows, raw, interlace) for raw in raw_modes]
    except ValueError:
        raise Unreadable("is truncated or damaged: its pixels cannot be unpacked") from None
    line = len(planes[0]) // height
    if interlace or planes[0][-line:] == UNWRITTEN * line:
        _check_rows(rows, chunks.header)
    shape = (height, width, CHANNELS[colour])
    if bits <= 8:
        return np.frombuffer(planes[0], np.uint8).reshape(shape)
    if len(planes) == 2:
        high, low = (np.frombuffer(plane, np.uint8).reshape(shape) for plane in planes)
        return (high.astype(np.uint16) << 8) | low
    stored = "<u2" if mode == "I;16" else ">u2"
    return np.frombuffer(planes[0], stored).reshape(shape).astype(np.uint16, copy=False)


def _unpacked(mode: str, size: tuple[int, int], rows: bytes | memoryview, raw: str, interlace: int) -> bytes:
    """The pixels; Pillow leaves rows that are not in the stream as they were before."""
    image = Image.new(mode, size, BEFORE[mode])
    image.frombytes(rows, "zip", raw, interlace)
    return image.tobytes()


def _check_rows(rows: bytes | memoryview, header: tuple[int, ...]) -> None:
    """Refuses a stream that ends before the last row, which need not be asked where that row has been written."""
    width, height, bits, colour, _, _, interlace = header
    steps = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    size = 0
    for top, left, down, right in steps if interlace else ((0, 0, 1, 1),):
        lines, columns = -(-(height - top) // down), -(-(width - left) // right)
        size += max(0, lines) * (1 + -(-columns * CHANNELS[colour] * bits // 8)) if columns > 0 else 0
    try:
        whole = len(zlib.decompressobj().decompress(rows, size)) == size
    except zlib.error:
        whole = False
    if not whole:
        raise Unreadable("is truncated: rows of its pixels are missing")


def _with_others(pixels: np.ndarray, bits: int, colour: int, others: dict[bytes, bytes]) -> Picture:
    """The picture with its palette and its transparency."""
    clear = others.get(b"tRNS")
    if colour == PALETTE:
        palette = others.get(b"PLTE", b"")
        if not palette or len(palette) % 3 or len(palette) > 768:
            raise Unreadable("is damaged: it has no palette")
        alphas = None if clear is None else np.frombuffer(clear[:256], np.uint8)
        return coloured(pixels[..., 0], np.frombuffer(palette, np.uint8).reshape(-1, 3), alphas)
    names = FROM_COUNT[pixels.shape[-1]]
    scale = np.uint8(255 // ((1 << bits) - 1) if bits < 8 else 1)
    if clear is not None and colour in (GREY, COLOUR):
        if len(clear) != 2 * pixels.shape[-1]:
            raise Unreadable("is damaged: its transparent colour has another number of channels")
        key, top = np.frombuffer(clear, ">u2") & ((1 << bits) - 1), np.iinfo(pixels.dtype).max
        alpha = np.where((pixels == key).all(-1), 0, top).astype(pixels.dtype)
        return Picture(np.stack([*np.moveaxis(pixels, -1, 0) * scale, alpha]), (*names, "alpha"))
    return Picture(pixels.transpose(2, 0, 1) * scale, names)


def _chunks(data: bytes) -> _Chunks:
    """The header's numbers, the compressed rows, and what else says what they mean."""
    view, end = memoryview(data), len(data)
    header, rows, others = (), [], {}
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
        elif kind in (b"PLTE", b"tRNS", b"eXIf", b"acTL"):
            others.setdefault(kind, bytes(view[place + 8 : stop]))
        elif kind == b"IEND":
            if not header or not rows:
                raise Unreadable("is damaged: it holds no pixels")
            return _Chunks(header, rows, others)
        place = stop + 4
    raise Unreadable("is truncated")
