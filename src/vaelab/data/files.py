"""Lists the files below a folder, and tells images from other files by their names."""

from __future__ import annotations

import errno
import os
import stat
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from vaelab.errors import InputError

IMAGE_ENDINGS = frozenset(
    "." + ending
    for ending in ("png", "jpg", "jpeg", "jpe", "jfif", "tif", "tiff", "bmp", "dib", "gif", "webp", "pgm", "ppm", "pbm")
) | {".pnm", ".jp2", ".j2k", ".tga", ".pcx", ".sgi"}
LITTER = frozenset({"thumbs.db", "desktop.ini"})


class File(NamedTuple):
    """A file as it was when it was listed."""

    name: str
    """Its path below the folder, with forward slashes."""
    path: str
    """Where it is."""
    size: int = -1
    """Bytes, or -1 where it cannot be reached."""
    modified: int = 0
    """Time of the last change, in nanoseconds since 1970."""
    problem: str = ""
    """Why it cannot be used, if so."""


def locate(path: str, what: str, *, folder: bool) -> Path:
    """The existing folder or file that the user named, by its absolute path; `~` is the home folder.

    Raises:
        InputError: It is missing, of the other kind, or may not be reached.
    """
    kind = "folder" if folder else "file"
    try:
        place = Path(os.path.expanduser(path)).absolute()
        mode = place.stat().st_mode
    except (OSError, ValueError) as error:
        reason = "may not be reached" if isinstance(error, PermissionError) else "does not exist"
        raise InputError(what, f"be a {kind}", f"{path!r}, which {reason}", "Check the spelling.") from None
    if not (stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)):
        raise InputError(what, f"be a {kind}", f"{path!r}, which is {'not one' if folder else 'no regular file'}")
    return place


def describe(path: str, name: str | None = None) -> File:
    """The file's size, time and, where it can't be used, the reason."""
    name = path if name is None else name
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        reason = "may not be read" if isinstance(error, PermissionError) else "does not exist"
        if isinstance(error, OSError) and error.errno == errno.ELOOP:
            reason = "is a link that leads back to itself"
        return File(name, path, problem=reason)
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = "is not a regular file"
    elif status.st_size == 0:
        problem = "is empty (0 bytes)"
    return File(name, path, status.st_size, status.st_mtime_ns, problem)


def list_files(folder: Path, what: str) -> list[File]:
    """Every file below the folder, in the order of names; hidden files and folders (and Thumbs.db) are passed over.

    Links are followed, but no folder is entered twice. A subfolder that may not be read is listed as one such file.

    Raises:
        InputError: The folder itself may not be read.
    """
    found: list[File] = []
    seen: set[tuple[int, int]] = set()

    def walk(place: str, prefix: str) -> None:
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(place) as entries:
            listed = sorted(entries, key=attrgetter("name"))
        for entry in listed:
            name = prefix + entry.name
            if entry.name.startswith(".") or entry.name.lower() in LITTER:
                continue
            if not _is_folder(entry):
                found.append(describe(entry.path, name))
                continue
            try:
                walk(entry.path, name + "/")
            except OSError:
                found.append(File(name + "/", entry.path, problem="may not be read"))

    try:
        walk(str(folder), "")
    except OSError as error:
        raise InputError(what, "be a folder that may be read", f"{str(folder)!r} ({error.strerror})") from None
    return sorted(found, key=attrgetter("name"))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False


def list_images(folder: Path, what: str) -> list[File]:
    """As `list_files`; a file whose name does not end like an image's carries that as its problem."""
    return [
        file
        if file.problem or is_image_name(file.name)
        else File(file.name, file.path, problem="is not an image by its name")
        for file in list_files(folder, what)
    ]


def is_image_name(name: str) -> bool:
    """Whether the name ends as those of images do.

    >>> is_image_name("a/b.PNG"), is_image_name("README")
    (True, False)
    """
    return name[name.rfind(".") :].lower() in IMAGE_ENDINGS
