"""Files written whole or not at all, and folders checked before anything is computed.

What is being written lies beside its place, under a lock of the kernel. A process that was killed gives the lock up,
and who next writes the same clears away what it left. Copies of a process (fork) do not hold its locks: one that lives
a moment longer than a killed parent would keep what it left.
"""

from __future__ import annotations

import fcntl
import glob
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from vaelab.errors import InputError

DAMAGED = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error, RuntimeError)
"""What reading a damaged archive, table or JSON text raises; RuntimeError: locked, or nested without end."""
_held: set[int] = set()


@contextmanager
def replacing(path: Path | str, what: str = "", mend: str = "") -> Iterator[Path]:
    """A new file beside `path` to write to: it takes the path's place when the block ends, and is gone when it fails.

    Args:
        path: What is to be written.
        what: How the user named it; left out, the path itself.
        mend: What to do where it cannot be written.

    Raises:
        InputError: It cannot be written, or the disk is full; what was there stays as it was.
    """
    path = Path(path)
    try:
        with being_written(path) as place:
            yield place / path.name
            put(place / path.name, path)
    except OSError as error:
        got = (error.strerror or str(error)) if not what else f"{str(path)!r} ({error.strerror or error})"
        raise InputError(what or str(path), "be a file that can be written", got, mend) from None


@contextmanager
def being_written(path: Path, left: str = "") -> Iterator[Path]:
    """A new folder beside `path`, gone after the block; such folders of dead processes are removed.

    Args:
        path: What is made in it, to be put in its place.
        left: Pattern of the folders that are looked at; left out, those of the same path.

    Raises:
        OSError: It cannot be made.
    """
    for other in path.parent.glob(left or f".{glob.escape(path.name)}.part-*"):
        with suppress(OSError):
            if (handle := _lock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)) is not None:
                shutil.rmtree(other, ignore_errors=True)
                os.close(handle)
    place, handle = Path(), None
    while handle is None:  # in the moment before it is locked, another process may take it for left behind
        place = Path(tempfile.mkdtemp(prefix=f".{path.name}.part-", dir=path.parent))
        handle = _lock(place, fcntl.LOCK_EX)
    _held.add(handle)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        _held.remove(handle)
        os.close(handle)


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not JSON in UTF-8, or nested too deeply.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def write(path: Path | str, data: str | bytes, what: str = "", mend: str = "", *, flush: bool = False) -> None:
    """Writes text (UTF-8) or bytes, whole or not at all; `flush`: onto the disk before it takes its place.

    Raises:
        InputError: As `replacing`.
    """
    with replacing(path, what, mend) as part, part.open("wb") as file:
        file.write(data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data)
        if flush:
            file.flush()
            os.fsync(file.fileno())


def put(part: Path, path: Path) -> None:
    """Puts a finished file in the place of another, or a finished folder in that of another.

    Raises:
        OSError: It cannot be put there; what was there stays as it was.
    """
    if part.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    os.replace(part, path)


def put_first(part: Path, place: Path, is_whole: Callable[[], bool]) -> None:
    """Gives a finished folder its place, unless another process was first; what is not whole there makes room.

    Args:
        part: The finished folder.
        place: Where it is to be.
        is_whole: Whether what is at that place can be used.

    Raises:
        OSError: It cannot be put there.
    """
    for _ in range(8):
        try:
            return os.rename(part, place)
        except OSError:
            if not os.path.lexists(place):
                raise
        if is_whole():
            return None
        aside = Path(tempfile.mkdtemp(prefix=f".{place.name}.part-", dir=place.parent))
        with suppress(FileNotFoundError):  # another process cleared it away
            os.rename(place, aside / "old")
        shutil.rmtree(aside, ignore_errors=True)
    return None


def check_folder(folder: Path, room: int = 0, purpose: str = "", mend: str = "") -> None:
    """Makes a folder, and refuses one that cannot be written or whose disk has fewer than `room` bytes free.

    Raises:
        InputError: With the reason.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        should, mend = "be a folder that can be written", mend or "Choose another."
        raise InputError(str(folder), should, error.strerror, mend) from None
    free = shutil.disk_usage(folder).free
    if free < room:
        should, got = f"have {room / 1e6:,.0f} MB free{purpose}", f"{free / 1e6:,.0f} MB"
        raise InputError(str(folder), should, got, mend or "Make room.")


def check_place(path: Path) -> None:
    """Refuses a place where no file can be put; asked before anything is computed.

    Raises:
        InputError: There is a folder, or the folder that it is to lie in is missing or cannot be written.
    """
    folder = path.parent
    if not folder.is_dir():
        raise InputError(str(folder), "be a folder", "nothing there" if not folder.exists() else "a file")
    if path.is_dir():
        raise InputError(str(path), "be a file", "a folder")
    check_folder(folder)


def _let_go() -> None:
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_let_go)


def _lock(folder: Path, how: int) -> int | None:
    """The folder, opened, and locked where the disk knows locks; None: it is gone, or another process has locked it."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, how)
    except OSError:
        if how & fcntl.LOCK_NB:
            os.close(handle)
            return None
    if folder.exists():
        return handle
    os.close(handle)
    return None
