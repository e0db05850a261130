"""Images as they are kept: in memory, mapped from a file, in several shards; read by row number, as stored."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from math import prod
from typing import Protocol, runtime_checkable

import numpy as np

CHUNK_BYTES = 1 << 25
_RELEASE_BYTES = 256 << 20
_READ_AROUND = 64 << 10
"""Bytes that the system may map around a row that is read from a file."""


@runtime_checkable
class StoredImages(Protocol):
    """Images wherever they lie: all that whoever reads them knows of them."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(image, channel, height, width)."""
        ...

    @property
    def dtype(self) -> np.dtype:
        """Of the stored pixels: uint8, uint16 or float32."""
        ...

    def __len__(self) -> int:
        """How many images."""
        ...

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Copies the images of these rows, in this order, into `out`.

        Args:
            rows: Row numbers (int64), each from 0 to below the number of images.
            out: (row, channel, height, width), contiguous, of the images' type.
        """
        ...


Pixels = np.ndarray | StoredImages
"""(image, channel, height, width), as stored."""


class ArrayImages:
    """An array as stored images; the pages of a mapped file are let go now and then, so that any file fits.

    >>> out = np.empty((1, 1, 2, 2), np.uint8)
    >>> ArrayImages(np.arange(12, dtype=np.uint8).reshape(3, 1, 2, 2)).take(np.array([2]), out)
    >>> out.ravel().tolist()
    [8, 9, 10, 11]
    """

    def __init__(self, array: np.ndarray):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self._mapping, self._read = mapping_of(array), 0

    def __len__(self) -> int:
        return len(self.array)

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """See StoredImages."""
        if self.array.flags.c_contiguous:
            np.take(self.array, rows, axis=0, out=out, mode="clip")
        else:  # of any other array np.take copies the whole
            out[...] = self.array[rows]
        self._read += out.nbytes + len(rows) * _READ_AROUND
        if self._mapping is not None and self._read > _RELEASE_BYTES:
            self._mapping.madvise(mmap.MADV_DONTNEED)  # the system's cache keeps them
            self._read = 0


class SelectedImages:
    """Some of the images, by row, or their channels in another order; nothing is copied before it is read.

    Args:
        images: The images.
        rows: Which of them, in order; left out: all.
        channels: Which channels, in order; left out: all.

    >>> images = np.arange(8, dtype=np.uint8).reshape(4, 2, 1, 1)
    >>> read(SelectedImages(images, rows=np.array([3, 1]), channels=[1, 0]), np.array([0])).ravel().tolist()
    [7, 6]
    """

    def __init__(self, images: Pixels, rows: np.ndarray | None = None, channels: list[int] | None = None):
        self.images, self.rows, self.channels = stored(images), rows, channels
        count, num_channels, *size = images.shape
        self.shape = (count if rows is None else len(rows), len(channels or range(num_channels)), *size)
        self.dtype = images.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """See StoredImages."""
        rows = rows if self.rows is None else self.rows[rows]
        if self.channels is None:
            self.images.take(rows, out)
        else:
            out[...] = read(self.images, rows)[:, self.channels]


def is_mapped(images: Pixels) -> bool:
    """Whether they may lie on a disk: not of an array in memory."""
    return not isinstance(images, np.ndarray) or mapping_of(images) is not None


def stored(images: Pixels) -> StoredImages:
    """Images behind the protocol, an array too."""
    return ArrayImages(images) if isinstance(images, np.ndarray) else images


def num_bytes(images: Pixels) -> int:
    """Bytes of all their pixels."""
    return prod(images.shape) * images.dtype.itemsize


def read(images: Pixels, rows: np.ndarray) -> np.ndarray:
    """(row, channel, height, width): the images of these rows, copied."""
    out = np.empty((len(rows), *images.shape[1:]), images.dtype)
    stored(images).take(rows, out)
    return out


def blocks(images: Pixels, rows: np.ndarray | None = None) -> Iterator[tuple[int, np.ndarray]]:
    """(position of the first image, images) in blocks of about 32 MB, all or those of `rows`, in order.

    A block holds until the next one is asked for.
    """
    source, count = stored(images), len(images) if rows is None else len(rows)
    step = min(count, max(1, CHUNK_BYTES * len(images) // max(1, num_bytes(images))))
    buffer = np.empty((step, *images.shape[1:]), images.dtype)
    for start in range(0, count, step or 1):
        stop = min(start + step, count)
        block = buffer[: stop - start]
        source.take(np.arange(start, stop) if rows is None else rows[start:stop], block)
        yield start, block


def mapping_of(array: np.ndarray) -> mmap.mmap | None:
    """The memory map that lies under an array, if one does and its pages can be let go."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED") else None
