"""MNIST's own files (IDX), plain or gzipped."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np
import pandas as pd

from vaelab.data.collection import ImageCollection
from vaelab.data.files import locate
from vaelab.data.limits import most_bytes
from vaelab.data.sources._base import Source
from vaelab.errors import InputError
from vaelab.settings.ranges import PathText

PARTS = {"train": ("train",), "test": ("t10k", "test")}


@dataclass(frozen=True, kw_only=True)
class IdxSource(Source):
    """A folder with the files of MNIST, Fashion-MNIST or any set in the same form, ending in .gz or not.

    Read are `*train-images*idx3*` and `*t10k-images*idx3*` (or test-images) with their labels `*idx1*`. The table has
    `label` and `split` (train or test), for `split.column`.

    *Source*: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits, section File formats.
    """

    opens: ClassVar[str] = "a folder of IDX files"

    path: PathText
    """The folder."""

    @classmethod
    def recognises(cls, place: Path, names: Sequence[str]) -> int:
        """See Source."""
        return 3 if any("idx3" in name and "images" in name for name in names) else 0

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source."""
        folder = locate(self.path, "path", folder=True)
        images, labels, parts = [], [], []
        for part in PARTS:
            file = _the_file(folder, part, "images-idx3", "images.idx3")
            if file is None:
                continue
            pixels = _read(file, 3)
            images.append(pixels)
            parts += [part] * len(pixels)
            labels.append(_labels(folder, part, file, len(pixels)))
        if not images:
            be = "be a folder with IDX files such as train-images-idx3-ubyte.gz"
            raise InputError("path", be, repr(self.path), "vaelab data download mnist fetches them.")
        if len({pixels.shape[1:] for pixels in images}) > 1:
            got = " and ".join(f"{pixels.shape[1]}x{pixels.shape[2]}" for pixels in images)
            raise InputError("path", "hold training and test images of one size", got)
        table = pd.DataFrame({"label": np.concatenate(labels), "split": parts})
        return ImageCollection(images=np.concatenate(images)[:, None], table=table, channels=("intensity",))


def _labels(folder: Path, part: str, images: Path, count: int) -> np.ndarray:
    file = _the_file(folder, part, "labels-idx1", "labels.idx1")
    if file is None:
        raise InputError("path", f"hold the labels of {images.name}", "none", "They end in labels-idx1-ubyte.")
    labels = _read(file, 1)
    if len(labels) != count:
        raise InputError(file.name, f"hold {count:,} labels, one for each image of {images.name}", f"{len(labels):,}")
    return labels


def _the_file(folder: Path, part: str, *kinds: str) -> Path | None:
    """The part's file of that kind; the unpacked one where it is there packed and unpacked."""
    try:
        names = sorted(file for file in folder.iterdir() if any(kind in file.name for kind in kinds) and file.is_file())
    except OSError as error:
        raise InputError("path", "be a folder that may be read", f"{str(folder)!r} ({error.strerror})") from None
    found = {str(f).removesuffix(".gz"): f for f in reversed(names) if any(word in f.name for word in PARTS[part])}
    if len(found) > 1:
        got = ", ".join(sorted(file.name for file in found.values()))
        raise InputError("path", f"hold one set of {part} images", got, "Give each set its own folder.")
    return next(iter(found.values()), None)


def _read(file: Path, dimensions: int) -> np.ndarray:
    """The file's array, uint8.

    Raises:
        InputError: It is truncated, or not an IDX file of bytes of so many dimensions.
    """
    magic, head = 0x800 + dimensions, 4 + 4 * dimensions
    try:
        with file.open("rb") as packed:
            size, start = os.fstat(packed.fileno()).st_size, packed.read(2)
            packed.seek(0)
            data = _unpacked(packed, most_bytes(size)) if start == b"\x1f\x8b" else packed.read()
    except (OSError, EOFError, zlib.error) as error:
        reason = str(error) or type(error).__name__
        raise InputError(file.name, "be a whole gzip file", reason, "Fetch it again.") from None
    if len(data) < head or int.from_bytes(data[:4], "big") != magic:
        got = int.from_bytes(data[:4], "big") if len(data) >= 4 else f"{len(data)} bytes"
        raise InputError(file.name, f"be an IDX file of bytes, which begins with the number {magic}", got)
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    size = math.prod(shape)
    if len(data) - head != size or 0 in shape:
        got = f"{len(data) - head:,}"
        mend = "The file is damaged; fetch it again."
        raise InputError(file.name, f"hold {'x'.join(map(str, shape))} = {size:,} bytes after its head", got, mend)
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)


def _unpacked(packed: BinaryIO, most: int) -> bytes:
    """What a gzip file holds, as far as its own head says; no more than `most` bytes are ever unpacked."""
    with gzip.GzipFile(fileobj=packed) as file:
        data = file.read(most + 1)
    if len(data) > most:
        be = f"unpack to {most / 2**20:,.0f} MiB at most"
        raise InputError(Path(packed.name).name, be, "more", "Fetch it again.")
    return data
