"""Images in a few large files that are mapped into memory: how they lie there, how they are opened and checked.

shards.json              the index: how many, of which form, names, checksums
images-00000.npy, ...    pixels as they are in memory, from the second page on; NumPy opens each
images-00000.sums.npy    CRC-32 of each block of some 256 KiB of the file beside it
table.npz                the table, and from which file each image came

Nothing stands in the index for a single image. The index carries its own digest and those of the table and of the
checksums, so what was altered is found: sizes and heads when the folder is opened, pixels when a block of them is first
read, all of them by `check`.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import zlib
from dataclasses import asdict, dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from vaelab.data.stored import mapping_of
from vaelab.errors import InputError
from vaelab.files import DAMAGED, read_json
from vaelab.screen import Progress

INDEX, TABLE = "shards.json", "table.npz"
FORMAT = 1
"""Raised whenever an older vaelab would read such a folder wrongly."""
PAGE = 4096
"""Bytes before the pixels of a shard, so that they begin at a page."""
BLOCK_BYTES = 1 << 18
_RELEASE_BYTES = 256 << 20
_MEND = "Pack the images into this folder again, which mends it, or put the file back."
_ANEW = "Put the file back, or pack the images into a new folder."


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How many images of which form, and how they are divided."""

    num_images: int
    image_shape: tuple[int, int, int]
    """(channel, height, width)."""
    dtype: str
    """Of a pixel, with its byte order: ``|u1``, ``<u2`` or ``<f4``."""
    per_block: int
    """Images under one checksum."""
    per_shard: int
    """Images in a shard, the last one's fewer; a multiple of `per_block`."""

    @classmethod
    def of(cls, shape: tuple[int, ...], dtype: np.dtype, shard_bytes: int) -> Layout:
        """Shards of at most so many bytes, but of one image at least."""
        num_images, channels, height, width = shape
        image = max(1, channels * height * width * dtype.itemsize)
        block = min(max(1, BLOCK_BYTES // image), max(1, shard_bytes // image))
        shard = block * max(1, shard_bytes // (block * image))
        kind = dtype.newbyteorder("<").str
        size = (channels, height, width)
        return cls(num_images=num_images, image_shape=size, dtype=kind, per_block=block, per_shard=shard)

    @property
    def num_shards(self) -> int:
        """How many files of pixels."""
        return -(-self.num_images // self.per_shard)

    @property
    def image_bytes(self) -> int:
        """Bytes of one image."""
        return int(np.prod(self.image_shape)) * np.dtype(self.dtype).itemsize

    def rows(self, shard: int) -> range:
        """Which images lie in a shard."""
        return range(shard * self.per_shard, min((shard + 1) * self.per_shard, self.num_images))

    def blocks(self, shard: int) -> list[range]:
        """Which images, counted over all shards, each checksum of a shard is of."""
        rows = self.rows(shard)
        return [rows[start : start + self.per_block] for start in range(0, len(rows), self.per_block)]

    def head(self, shard: int) -> bytes:
        """The first page of a shard: the head of an .npy file."""
        shape = (len(self.rows(shard)), *self.image_shape)
        text = f"{{'descr': '{self.dtype}', 'fortran_order': False, 'shape': {shape}, }}"
        return b"\x93NUMPY\x01\x00" + (PAGE - 10).to_bytes(2, "little") + text.ljust(PAGE - 11).encode() + b"\n"

    def size(self, shard: int) -> int:
        """Bytes of a shard's file."""
        return PAGE + len(self.rows(shard)) * self.image_bytes


def shard_name(number: int) -> str:
    """The file of a shard's pixels."""
    return f"images-{number:05}.npy"


def sums_name(number: int) -> str:
    """The file of a shard's checksums."""
    return f"images-{number:05}.sums.npy"


def checksum(pixels: np.ndarray) -> int:
    """CRC-32 of an array that lies in one piece."""
    return zlib.crc32(pixels.reshape(-1).view(np.uint8).data)


def seal(record: dict[str, Any]) -> str:
    """The digest of an index without its seal."""
    text = json.dumps({name: value for name, value in record.items() if name != "seal"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def as_index(layout: Layout, *, whole: bool, **others: Any) -> str:
    """The text of an index."""
    record = {"format": FORMAT, "whole": whole, "layout": asdict(layout), **others}
    return json.dumps(record | {"seal": seal(json.loads(json.dumps(record)))}, indent=1)


def read_index(folder: Path) -> tuple[Layout, dict[str, Any]]:
    """The layout, and all that the index says.

    Raises:
        InputError: It is no index, of another version, or was altered.
    """
    path, be = folder / INDEX, "be the index of packed images"
    try:
        record = read_json(path)
        if record["format"] != FORMAT:
            should, got = f"be of format {FORMAT}", repr(record["format"])
            raise InputError(str(path), should, got, "Read it with the vaelab that wrote it, or pack the images anew.")
        if record["seal"] != seal(record):
            raise InputError(str(path), "stay as it was written", "an altered one", _ANEW)
        fields = record["layout"] | {"image_shape": tuple(record["layout"]["image_shape"])}
        return Layout(**fields), record
    except InputError:
        raise
    except (*DAMAGED, TypeError) as error:
        raise InputError(str(path), be, f"other text ({error})", _ANEW) from None


class ShardedImages:
    """Packed images as stored ones. A block of them is checked when it is first read.

    Args:
        folder: Where they lie.
        layout: As the index says.
        digests: Of each shard's checksums, as the index says.

    Raises:
        InputError: A shard is missing, cut short or of another form, or its checksums are.
    """

    def __init__(self, folder: Path, layout: Layout, digests: list[str]):
        self.folder, self.layout, self.dtype = folder, layout, np.dtype(layout.dtype)
        self.shape = (layout.num_images, *layout.image_shape)
        self.shards = [_mapped(folder, layout, number) for number in range(layout.num_shards)]
        self.sums = [_sums(folder, layout, number, digest) for number, digest in enumerate(digests)]
        self._checked = [np.zeros(len(sums), bool) for sums in self.sums]
        self._read = 0

    def __len__(self) -> int:
        return self.layout.num_images

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """See StoredImages.

        Raises:
            InputError: Pixels are not those that were packed.
        """
        numbers, places = np.divmod(rows, self.layout.per_shard)
        for number in np.unique(numbers).tolist():
            here = numbers == number
            self._check_blocks(number, np.unique(places[here] // self.layout.per_block))
            if here.all():
                np.take(self.shards[number], places, axis=0, out=out, mode="clip")
            else:
                out[here] = self.shards[number][places[here]]
        self._read += out.nbytes
        if self._read > _RELEASE_BYTES:
            self._read = 0
            for mapping in self._mappings:
                mapping.madvise(mmap.MADV_DONTNEED)  # the system's cache keeps them

    def altered(self, number: int, blocks: np.ndarray) -> np.ndarray:
        """Which of these blocks of a shard are not as they were packed."""
        per, shard, sums = self.layout.per_block, self.shards[number], self.sums[number]
        return np.array([b for b in blocks.tolist() if checksum(shard[b * per : (b + 1) * per]) != sums[b]], np.int64)

    def _check_blocks(self, number: int, blocks: np.ndarray) -> None:
        new = blocks[~self._checked[number][blocks]]
        self._read += len(new) * BLOCK_BYTES
        if len(wrong := self.altered(number, new)):
            raise self.refusal(number, int(wrong[0]))
        self._checked[number][new] = True

    def refusal(self, number: int, block: int, more: str = "") -> InputError:
        """The error of a shard whose pixels are not those that were packed."""
        rows = self.layout.blocks(number)[block]
        got = f"others from image {rows.start} to {rows.stop - 1}{more}"
        return InputError(str(self.folder / shard_name(number)), "hold the pixels that were packed", got, _MEND)

    @cached_property
    def _mappings(self) -> list[mmap.mmap]:
        return [found for shard in self.shards if (found := mapping_of(shard)) is not None]


def check(images: ShardedImages, share: float = 1.0, *, progress: bool = False) -> int:
    """Reads a share of all blocks, evenly spaced, and gives how many.

    Raises:
        InputError: Some are not as they were packed; it names the first.
    """
    counts = [len(sums) for sums in images.sums]
    total = sum(counts)
    chosen = np.unique(np.linspace(0, total - 1, max(1, round(share * total))).round().astype(np.int64))
    starts, found = np.cumsum([0, *counts]), []
    with Progress("checking", len(chosen), shown=progress, unit="blocks") as bar:
        for number in range(len(counts)):
            here = chosen[(chosen >= starts[number]) & (chosen < starts[number + 1])] - starts[number]
            for some in np.array_split(here, max(1, len(here) // 64)):
                found += [(number, block) for block in images.altered(number, some).tolist()]
                bar.advance(len(some))
    if found:
        shards = len({number for number, _ in found})
        more = f" ({len(found):,} blocks in {shards:,} shard{'s' if shards > 1 else ''})"
        number, block = found[0]
        raise images.refusal(number, block, more)
    return len(chosen)


def _mapped(folder: Path, layout: Layout, number: int) -> np.ndarray:
    path = folder / shard_name(number)
    try:
        size, right = path.stat().st_size, layout.size(number)
        with path.open("rb") as file:
            head = file.read(PAGE)
        if size != right:
            raise InputError(str(path), f"be {right:,} bytes, as it was packed", f"{size:,}", _MEND)
        if head != layout.head(number):
            raise InputError(str(path), "have the head that it was packed with", "another", _MEND)
        shape = (len(layout.rows(number)), *layout.image_shape)
        return np.memmap(path, layout.dtype, "r", PAGE, shape)
    except OSError as error:
        raise InputError(str(path), "be there and readable", error.strerror or error, _MEND) from None


def _sums(folder: Path, layout: Layout, number: int, digest: str) -> np.ndarray:
    path = folder / sums_name(number)
    try:
        data = path.read_bytes()
        if digest != hashlib.sha256(data).hexdigest():
            raise ValueError
        return np.load(BytesIO(data), allow_pickle=False)
    except (OSError, ValueError):
        raise InputError(str(path), "hold the checksums that were packed", "others, or nothing", _MEND) from None
