"""Files decoded once, in parallel, into a memory-mapped array that later runs open at once.

The cache of a set of files stands in ``$VAELAB_CACHE/images`` (without the variable ``~/.cache/vaelab/images``), in a
folder named by its key: a hash of the reader's settings and of every file's path, size and time of change. So a file
that is edited, added or removed means another cache; hashing the contents instead would cost a full read of the files
at every start, which is most of what the cache saves. A cache is written beside its place and renamed when it is
whole, so that of processes that decode the same files at once the first gives its cache to all; what lies there and is
no whole cache, or was changed since it was written, is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.data.files import File
from vaelab.data.parallel import by_processes, by_threads, can_fork, without_collection
from vaelab.data.png import Unreadable
from vaelab.errors import InputError
from vaelab.files import being_written, put_first, read_json
from vaelab.machine import cache_folder
from vaelab.screen import Progress

FORMAT = 2
"""Raised whenever the same files would give another array."""
Form = tuple[int, int, int, str]
MANY = 512
"""From so many items on, processes decode; fewer are done before they would be started."""
CHUNK_FILES = 64
CHUNK_BYTES = 1 << 20


class Item(NamedTuple):
    """Files that are decoded together: one image in one file, in a file per channel, or many images in one file."""

    name: str
    files: tuple[File, ...]


@dataclass(frozen=True)
class Block:
    """Images of one form that came out of an item."""

    images: np.ndarray
    """(image, channel, height, width); uint8, uint16 or float32."""
    channels: tuple[str, ...]
    rows: tuple[dict[str, Any], ...] = ({},)
    """What the file says of each image."""
    missing: tuple[tuple[str, str], ...] = ()
    """(name, reason) of what should be there and is not; the item's own name is left empty."""
    notes: tuple[str, ...] = ()
    """How it was read where that could be otherwise, a sentence each with {} for how many files."""

    @property
    def form(self) -> Form:
        """What images that go together share: channels, height, width and pixel type."""
        return (*self.images.shape[1:], self.images.dtype.str)


@dataclass(frozen=True)
class Decoded:
    """The commonest form's images, in the order of the items."""

    images: np.ndarray
    """(image, channel, height, width), memory-mapped, read only."""
    channels: tuple[str, ...]
    items: np.ndarray
    """The number of the item that each image comes from."""
    rows: list[dict[str, Any]]
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()
    """How files were read where that could be otherwise, a sentence each."""


@dataclass
class _Index:
    """What is known of the images beside their pixels."""

    channels: tuple[str, ...] = ()
    items: list[int] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


@without_collection()
def decode(
    items: Sequence[Item], read: Callable[[Item], list[Block]], *, settings: object, progress: bool = False
) -> Decoded | list[tuple[str, str]]:
    """The images of all items, from the cache or decoded into it.

    Items whose images have another form than the commonest (the first of equals) are left out, as are broken ones.

    Args:
        items: What is decoded, in the order of the images.
        read: Decodes one item; called from several threads or processes at once.
        settings: Everything that `read` depends on; its `repr` is part of the key.
        progress: Show a bar for work of over a second.

    Returns:
        The images or, where not one item can be read, each item's name and the reason.

    Raises:
        InputError: The cache cannot be written.
    """
    place = cache_folder() / "images" / key(items, settings)
    found = _open(place, len(items))
    if found is not None:
        return found
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with being_written(place, left=".*.part-*") as around:
            part = around / "whole"
            part.mkdir()
            failed = _fill(part, items, read, progress)
            if failed:
                return failed
            found = _open(part, len(items))  # stays mapped wherever the folder goes
            put_first(part, place, lambda: _open(place, len(items)) is not None)
    except OSError as error:
        raise _unwritable(place.parent, error) from None
    found = _open(place, len(items)) or found
    if found is None:
        raise InputError("the cache", "stay as it was written", f"a changed {place}", "Start again.")
    return found


def key(items: Sequence[Item], settings: object) -> str:
    """The name of the cache of these items."""
    files = [f"{item.name}\0{file.path}\0{file.size}\0{file.modified}" for item in items for file in item.files]
    text = "\n".join([str(FORMAT), repr(settings), *files])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def nothing_usable(left_out: Sequence[tuple[str, str]], what: str) -> InputError:
    """The error for files of which not one can be used."""
    if not left_out:
        return InputError(what, "hold images", "no files")
    name, reason = min(left_out)
    count = "1 file that cannot" if len(left_out) == 1 else f"{len(left_out):,} files of which none can"
    return InputError(what, "hold images that can be read", f"{count}, the first: {name} {reason}")


def refuse_left_out(left_out: Sequence[tuple[str, str]], what: str, strict: bool) -> None:
    """With `strict`, the error that names the first file that is left out."""
    if strict and left_out:
        name, reason = left_out[0]
        count = f"{len(left_out):,} file{'s' if len(left_out) > 1 else ''} that cannot be used"
        mend = "Mend or remove them, or leave out --strict."
        raise InputError(what, "hold only files that can be used", f"{count}, the first: {name} {reason}", mend)


def _open(place: Path, count: int) -> Decoded | None:
    """The cache of so many items, if it is there and whole."""
    try:
        if (place / "seal").read_text() != _seal(place):
            return None
        record = read_json(place / "index.json")
        images = np.load(place / "images.npy", mmap_mode="r", allow_pickle=False)
        items = np.array(record["items"], np.int64)
        left_out = tuple((str(name), str(reason)) for name, reason in record["left_out"])
        notes = tuple(
            note.replace("{}", f"{count:,} file{'s' if count > 1 else ''}") for note, count in record["notes"].items()
        )
        found = Decoded(images, tuple(map(str, record["channels"])), items, list(record["rows"]), left_out, notes)
        return found if _is_whole(found, count) else None
    except Exception:  # whatever lies there, what can't be read is made again
        return None


def _is_whole(found: Decoded, count: int) -> bool:
    images = len(found.images)
    return (
        found.images.ndim == 4
        and found.images.dtype in (np.uint8, np.uint16, np.float32)
        and len(found.channels) == found.images.shape[1]
        and found.items.shape == (images,) == (len(found.rows),)
        and bool(((found.items >= 0) & (found.items < count)).all())
        and all(isinstance(row, dict) for row in found.rows)
    )


def _fill(
    part: Path, items: Sequence[Item], read: Callable[[Item], list[Block]], progress: bool
) -> list[tuple[str, str]]:
    """Decodes into the folder `part`; a second time where the first image had not the commonest form.

    Returns:
        Why, where not one image can be read; then nothing is written.
    """
    with (
        warnings.catch_warnings(),
        Progress("decoding", len(items), shown=progress, unit="files") as bar,
    ):
        warnings.simplefilter("ignore")
        index, form, counts = _pass(part / "images.npy", items, read, None, bar)
        if not counts:
            return index.left_out
        commonest = counts.most_common(1)[0][0]
        if commonest != form:
            index, *_ = _pass(part / "images.npy", items, read, commonest, bar)
    (part / "index.json").write_text(json.dumps(vars(index)), encoding="utf-8")
    (part / "seal").write_text(_seal(part))
    return []


def _seal(place: Path) -> str:
    """What a change of the cache changes: the pixels' size and time of change, which need no reading, and the index."""
    pixels, index = (place / "images.npy").stat(), (place / "index.json").read_bytes()
    return f"{pixels.st_size} {pixels.st_mtime_ns} {hashlib.sha256(index).hexdigest()}"


def _pass(
    target: Path,
    items: Sequence[Item],
    read: Callable[[Item], list[Block]],
    form: Form | None,
    bar: Progress,
) -> tuple[_Index, Form | None, Counter[Form]]:
    """Writes the images of one form (if none is given, the first image's) and counts all forms."""
    index, counts = _Index(), Counter()
    bar.done = 0
    with open(target, "wb") as out:
        for numbers, result in _results(items, read, bar):
            if isinstance(result, str):
                index.left_out.append((items[numbers[0]].name, result))
                continue
            index.notes.update({note: len(numbers) for note in {note for block in result for note in block.notes}})
            for i, block in enumerate(result):
                index.left_out += [(name or items[numbers[0]].name, reason) for name, reason in block.missing]
                found = block.form
                counts[found] += len(block.images)
                form = form or found
                if found != form:
                    series = f" (series {i})" if len(result) > 1 else ""
                    reason = f"is {_words(found)}, most are {_words(form)}"
                    index.left_out += [(items[number].name + series, reason) for number in numbers]
                    continue
                if not index.items:
                    index.channels = block.channels
                    _write_header(out, 0, form)
                out.write(np.ascontiguousarray(block.images).data)
                index.items += numbers if len(numbers) > 1 else [numbers[0]] * len(block.images)
                index.rows += block.rows
        if form is not None:
            out.seek(0)
            _write_header(out, len(index.items), form)
        out.flush()
        os.fsync(out.fileno())
    index.left_out = list(dict.fromkeys(index.left_out))
    return index, form, counts


def _results(
    items: Sequence[Item], read: Callable[[Item], list[Block]], bar: Progress
) -> Iterator[tuple[range, list[Block] | str]]:
    """What became of each item, in order; of several at once where each is one image and all are alike."""
    spread = by_processes if can_fork() and len(items) >= MANY else by_threads
    number = 0
    for results in spread(lambda chunk: _joined([_attempt(read, item) for item in chunk]), list(_chunks(items))):
        for count, result in results:
            yield range(number, number + count), result
            number += count
            bar.advance(count)


def _joined(results: list[list[Block] | str]) -> list[tuple[int, list[Block] | str]]:
    """(how many items, what became of them): one block for all where they are alike, which travels in one piece."""
    blocks = [result[0] for result in results if not isinstance(result, str) and len(result) == 1]
    if len(blocks) < len(results):
        return [(1, result) for result in results]
    first, form = blocks[0], blocks[0].form
    alike = (first.channels, form, first.notes, ())
    if any(len(b.images) > 1 or (b.channels, b.form, b.notes, b.missing) != alike for b in blocks):
        return [(1, result) for result in results]
    images = np.empty((len(blocks), *form[:3]), form[3])
    np.concatenate([block.images for block in blocks], out=images)
    rows = tuple(row for block in blocks for row in block.rows)
    return [(len(results), [Block(images, first.channels, rows, notes=first.notes)])]


def _write_header(out: Any, count: int, form: Form) -> None:
    """The head of an .npy file of `count` such images; its length does not depend on the count."""
    head = {"descr": form[3], "fortran_order": False, "shape": (count, *form[:3])}
    np.lib.format.write_array_header_1_0(out, head)


def _words(form: Form) -> str:
    return f"{form[0]}x{form[1]}x{form[2]} {np.dtype(form[3])}"


def _attempt(read: Callable[[Item], list[Block]], item: Item) -> list[Block] | str:
    """The item's blocks, or the reason why there are none. A hostile file may raise anything."""
    for file in item.files:
        if file.problem:
            return file.problem
    try:
        return read(item)
    except Unreadable as error:
        return str(error)
    except MemoryError:
        return "is too large for the memory"
    except OSError as error:
        return f"cannot be read ({error.strerror or str(error) or type(error).__name__})"
    except Exception as error:
        text = str(error).splitlines()[0] if str(error) else ""
        return f"is damaged ({text or type(error).__name__})"


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Runs of items that one thread takes at a time: at most 64, and about 1 MB on the disk."""
    start, size = 0, 0
    for i, item in enumerate(items):
        size += sum(max(0, file.size) for file in item.files)
        if i + 1 - start >= CHUNK_FILES or size >= CHUNK_BYTES:
            yield items[start : i + 1]
            start, size = i + 1, 0
    if start < len(items):
        yield items[start:]


def _unwritable(folder: Path, error: OSError) -> InputError:
    mend = "Make room or set VAELAB_CACHE to another folder."
    return InputError("the image cache", "be a folder that can be written", f"{str(folder)!r} ({error.strerror})", mend)
