"""Reads PBM, PGM and PPM files with the numbers that they hold, whatever their largest value."""

from __future__ import annotations

import re

import numpy as np

from vaelab.data.limits import Unreadable, check_image
from vaelab.data.picture import FROM_COUNT, Picture

STARTS = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")
_NUMBER = rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])+(\d{1,9})"
_BITS = re.compile(rb"P[14]" + _NUMBER * 2)
_COUNTS = re.compile(rb"P[2356]" + _NUMBER * 3)
_REMARK = re.compile(rb"#[^\r\n]*")


def read_netpbm(data: bytes) -> Picture:
    """The stored counts, from 0 to the largest value that the header names; bits as truth values.

    Args:
        data: The whole file.

    Raises:
        Unreadable: It is damaged, cut short, or holds several images.

    *Source*: https://netpbm.sourceforge.net/doc/ppm.html, pgm.html and pbm.html
    """
    bits, plain = data[1:2] in b"14", data[1:2] in b"123"
    head = (_BITS if bits else _COUNTS).match(data)
    if head is None:
        raise Unreadable("is damaged: its header is not that of a netpbm file")
    width, height = int(head[1]), int(head[2])
    top, channels = (1 if bits else int(head[3])), (3 if data[1:2] in b"36" else 1)
    if not 1 <= top <= 65535:
        raise Unreadable(f"is damaged: its largest value would be {top}")
    kind = np.dtype(np.uint8 if top < 256 else ">u2")
    check_image(height, width, channels, kind.itemsize)
    rest = data[head.end() :]
    if not plain and not rest[:1].isspace():
        raise Unreadable("is damaged: its header is not that of a netpbm file")
    line = -(-width // 8) if bits and not plain else width * channels
    values = _numbers(rest, bits, height * line) if plain else _packed(rest[1:], kind, height * line)
    values = values.reshape(height, line)
    if bits:
        values = (values if plain else np.unpackbits(values, 1)[:, :width]) == 0  # 1 is black
    elif values.max() > top:
        raise Unreadable(f"is damaged: it holds {int(values.max())}, over the {top} of its header")
    else:
        values = values.astype(kind, copy=False)
    return Picture(values.reshape(height, width, channels).transpose(2, 0, 1), FROM_COUNT[channels])


def _packed(data: bytes, kind: np.dtype, count: int) -> np.ndarray:
    size = count * kind.itemsize
    if len(data) < size:
        raise Unreadable("is truncated")
    if data[size : size + 2] in STARTS or len(data) - size > 2:
        raise Unreadable("holds more than one image")
    if data[:1] == b"\n" and len(data) > size:
        raise Unreadable("has a line's end of two bytes before its pixels, so that it can be read in two ways")
    return np.frombuffer(data, kind, count)


def _numbers(data: bytes, bits: bool, count: int) -> np.ndarray:
    text = _REMARK.sub(b"", data)
    words = re.findall(rb"[^\s]", text) if bits else text.split()
    if len(words) != count:
        raise Unreadable(f"holds {len(words)} numbers, not {count}")
    if not all(word.isdigit() and len(word) <= 5 for word in words):
        raise Unreadable("is damaged: it holds other signs than digits")
    return np.array(words).astype(np.int64)
