"""Reads JPEG 2000 files with the numbers that they hold: any depth, signed or not."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
from PIL import Image

from vaelab.data.limits import NEEDS, Unreadable, check_image
from vaelab.data.picture import FROM_COUNT, Picture

BOXES, STREAM = b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"
STARTS = (BOXES, STREAM)
SIZE = struct.Struct(">HHIIIIIIIIH")
PLAIN_COLOURS = {16: 3, 17: 1}
"""Colour spaces that need no conversion, sRGB and grey, and how many colours they have."""


class _Form(NamedTuple):
    """What the code stream's first segment says."""

    height: int
    width: int
    depths: tuple[int, ...]
    """Bits of each channel."""
    signed: bool
    whole: bool
    """No channel is coarser than another."""


def read_jpeg2000(data: bytes) -> Picture:
    """The stored numbers; 8 bits by Pillow, all else by imagecodecs.

    Args:
        data: The whole file.

    Raises:
        Unreadable: It is damaged, has a palette or other colours than grey and sRGB, or needs imagecodecs.

    *Source*: ITU-T T.800, annexes A.5.1 and I.
    """
    form = _form(data)
    count = len(form.depths)
    check_image(form.height, form.width, count, max(form.depths) + 7 >> 3)
    if count not in FROM_COUNT or not form.whole or len(set(form.depths)) > 1 or max(form.depths) > 16:
        raise Unreadable(f"has {count} channels of {form.depths} bits, or coarser ones; convert it to TIFF")
    _check_colours(data, count)
    if form.depths[0] == 8 and not form.signed:
        with Image.open(io.BytesIO(data), formats=["JPEG2000"]) as image:
            pixels = np.asarray(image)
        if find_spec("imagecodecs") is not None and not np.array_equal(pixels, _by_imagecodecs(data, form)):
            raise Unreadable("is damaged: two decoders read it in two ways")
    else:
        pixels = _by_imagecodecs(data, form)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.shape != (form.height, form.width, count):
        raise Unreadable("is damaged: its pixels are others than its header says")
    return Picture(pixels.transpose(2, 0, 1), FROM_COUNT[count])


def _by_imagecodecs(data: bytes, form: _Form) -> np.ndarray:
    try:
        from imagecodecs import jpeg2k_decode
    except ImportError:
        kind = f"{form.depths[0]}-bit {'signed ' if form.signed else ''}JPEG 2000"
        raise Unreadable(f"is {kind}, {NEEDS}") from None
    try:
        pixels = jpeg2k_decode(data)
    except Exception:  # the package has an error of its own for each format
        raise Unreadable("is damaged: its pixels cannot be unpacked") from None
    if (pixels.dtype.kind == "i") != form.signed:
        raise Unreadable(f"is {form.depths[0]}-bit JPEG 2000, which imagecodecs reads with another sign")
    return pixels


def _form(data: bytes) -> _Form:
    start = data.find(STREAM)
    try:
        _, _, right, bottom, left, top, *_, count = SIZE.unpack_from(data, start + 4)
        parts = struct.unpack_from(f"{3 * min(count, 64)}B", data, start + 4 + SIZE.size)
    except struct.error:
        raise Unreadable("is truncated") from None
    if start < 0 or not parts:
        raise Unreadable("is damaged: it holds no pixels")
    depths = tuple((part & 127) + 1 for part in parts[::3])
    signs = {part >> 7 for part in parts[::3]}
    whole = set(parts[1::3]) | set(parts[2::3]) == {1} and len(signs) == 1 and count <= 64
    return _Form(bottom - top, right - left, depths, signs == {1}, whole)


def _check_colours(data: bytes, count: int) -> None:
    if not data.startswith(BOXES):
        return
    header = next((body for kind, body in _boxes(data) if kind == b"jp2h"), b"")
    for kind, body in _boxes(header):
        if kind == b"pclr":
            raise Unreadable("has a colour palette; convert it to colour or grey")
        space = int.from_bytes(body[3:7], "big")
        if kind == b"colr" and body[:1] == b"\1" and PLAIN_COLOURS.get(space) not in (count, count - 1):
            raise Unreadable(f"has the colour space {space} of JPEG 2000; convert it to sRGB or grey")


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, content) of each box, in order."""
    place = 0
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        head = 8
        if length == 1 and place + 16 <= len(data):
            length, head = int.from_bytes(data[place + 8 : place + 16], "big"), 16
        length = length or len(data) - place
        if length < head:
            return
        yield kind, data[place + head : place + length]
        place += length
