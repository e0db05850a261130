"""Images of any source packed into shards; what a kill or a full disk interrupted goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np

from vaelab.data.collection import ImageCollection
from vaelab.data.shards import (
    BLOCK_BYTES,
    INDEX,
    PAGE,
    TABLE,
    Layout,
    as_index,
    checksum,
    read_index,
    shard_name,
    sums_name,
)
from vaelab.data.stored import StoredImages, stored
from vaelab.data.table_arrays import to_arrays
from vaelab.errors import InputError
from vaelab.files import check_folder, replacing, write
from vaelab.screen import Progress

OURS = re.compile(r"shards\.json|table\.npz|images-\d{5}(\.sums)?\.npy|\.(shards\.json|table\.npz|images-.*)\.part-.*")
_GO_ON = "Make room and give the same command again: whole shards are kept."


def pack(
    collection: ImageCollection, folder: Path, *, shard_bytes: int = 1 << 30, origin: str = "", progress: bool = False
) -> int:
    """Writes images as shards, which the source `shards` reads back exactly, and gives how many were there already.

    Each shard is written beside its place, flushed to the disk and put there, then its checksums: what was interrupted
    goes on with the first shard that has none. What is there is compared with the images, so it may be trusted, and a
    shard that was altered since is written anew.

    Args:
        collection: Images, table, channel names, factors, notes and left-out files are all kept.
        folder: Where to; new, empty, or with what was packed of the same images before.
        shard_bytes: Bytes of pixels in a shard at most.
        origin: Where the images come from, by which an interrupted packing is known again.
        progress: Show a progress bar.

    Raises:
        InputError: The folder holds something else, cannot be written, or the disk is full.
    """
    images = stored(collection.images)
    layout = Layout.of(images.shape, images.dtype, shard_bytes)
    columns, arrays = to_arrays(collection.table)
    check_folder(folder)
    finished, layout, origin = _state(folder, layout, origin)
    check_folder(folder, _room(folder, layout), " for the shards", _GO_ON)
    if not finished:
        write(folder / INDEX, as_index(layout, whole=False, origin=origin), mend=_GO_ON)
    digests, kept = [], 0
    with Progress("packing", len(images), shown=progress) as bar:
        for number in range(layout.num_shards):
            sums = _sums_of(images, folder, layout, number, finished)
            kept += sums is not None
            if sums is None:
                sums = _write_shard(images, folder, layout, number)
            digests.append(hashlib.sha256(sums).hexdigest())
            bar.advance(len(layout.rows(number)))
    table = _table(arrays, collection.files)
    names = {
        "channels": collection.channels, "factors": collection.factors, "left_out": collection.left_out,
        "notes": collection.notes, "columns": columns,
    }  # fmt: skip
    digest = hashlib.sha256(table).hexdigest()
    index = as_index(layout, whole=True, origin=origin, sums=digests, table=digest, **names)
    if finished and (folder / INDEX).read_text(encoding="utf-8") != index:
        raise _other(folder)
    write(folder / TABLE, table, mend=_GO_ON, flush=True)
    write(folder / INDEX, index, mend=_GO_ON, flush=True)
    return kept


def _state(folder: Path, layout: Layout, origin: str) -> tuple[bool, Layout, str]:
    """Whether the folder was packed to the end, the layout there, and where its images came from.

    Raises:
        InputError: It holds something else, or other images.
    """
    if not (folder / INDEX).exists():
        if strange := sorted(name for name in os.listdir(folder) if not OURS.fullmatch(name)):
            raise InputError(str(folder), "be a new or empty folder", f"one that holds {strange[0]!r}")
        return False, layout, origin
    there, record = read_index(folder)
    if (there.num_images, there.image_shape, there.dtype) != (layout.num_images, layout.image_shape, layout.dtype):
        raise _other(folder)
    if record["whole"]:
        return True, there, record["origin"]
    if record["origin"] != origin:
        got = f"one where the packing of {record['origin']} was interrupted"
        raise InputError(str(folder), "be a new or empty folder", got, "Go on with that, or choose another.")
    return False, layout, origin


def _other(folder: Path) -> InputError:
    return InputError(str(folder), "be a new or empty folder", "one that holds other packed images")


def _room(folder: Path, layout: Layout) -> int:
    """Bytes that are still to be written."""
    numbers = [n for n in range(layout.num_shards) if not (folder / sums_name(n)).exists()]
    return sum(layout.size(number) for number in numbers)


def _blocks(images: StoredImages, layout: Layout, number: int) -> Iterator[np.ndarray]:
    """The images of each block of a shard; it holds until the next is asked for."""
    buffer = np.empty((layout.per_block, *layout.image_shape), images.dtype)
    for rows in layout.blocks(number):
        images.take(np.arange(rows.start, rows.stop), block := buffer[: len(rows)])
        yield np.ascontiguousarray(block, layout.dtype)


def _sums_of(images: StoredImages, folder: Path, layout: Layout, number: int, finished: bool) -> bytes | None:
    """The file of a shard's checksums where the shard is there, whole and of these images; else None.

    Raises:
        InputError: The folder was packed to the end, from other images.
    """
    path = folder / shard_name(number)
    try:
        data = (folder / sums_name(number)).read_bytes()
        file = path.open("rb")
    except OSError:
        return None
    whole = path.stat().st_size == layout.size(number) and file.read(PAGE) == layout.head(number)
    ours = []
    with file:
        for block in _blocks(images, layout, number):
            ours.append(checksum(block))
            whole = whole and zlib.crc32(file.read(block.nbytes)) == ours[-1]
    if data == _as_file(ours):
        return data if whole else None
    if finished:
        raise _other(folder)
    return None


def _write_shard(images: StoredImages, folder: Path, layout: Layout, number: int) -> bytes:
    """Writes a shard, then its checksums, and gives the latter's file."""
    path, sums = folder / sums_name(number), []
    path.unlink(missing_ok=True)
    with replacing(folder / shard_name(number), mend=_GO_ON) as part, part.open("wb", BLOCK_BYTES) as file:
        file.write(layout.head(number))
        for block in _blocks(images, layout, number):
            sums.append(checksum(block))
            file.write(block.data)
        file.flush()
        os.fsync(file.fileno())
    data = _as_file(sums)
    write(path, data, mend=_GO_ON, flush=True)
    return data


def _as_file(sums: list[int]) -> bytes:
    file = BytesIO()
    np.save(file, np.array(sums, np.uint32))
    return file.getvalue()


def _table(arrays: dict[str, np.ndarray], files: np.ndarray | None) -> bytes:
    file = BytesIO()
    extra = {} if files is None else {"files": files}
    np.savez(file, allow_pickle=False, **arrays, **extra)  # pyright: ignore[reportArgumentType]
    return file.getvalue()
