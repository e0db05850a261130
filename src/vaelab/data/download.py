"""Fetches known data sets, checked against their published checksums."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vaelab import files
from vaelab.errors import InputError, unknown_name
from vaelab.machine import cache_folder
from vaelab.screen import Progress

BLOCK = 1 << 18
TIMEOUT_S = 30


@dataclass(frozen=True)
class RemoteFile:
    """One file of a data set."""

    name: str
    md5: str
    """Published checksum, hexadecimal. It guards against damage and mix-ups."""
    size: int
    """Bytes."""


@dataclass(frozen=True)
class KnownSet:
    """A data set that can be fetched."""

    address: str
    """Folder at which its files lie."""
    files: tuple[RemoteFile, ...]
    about: str
    """What it is, whose it is, and its licence."""


KNOWN = {
    "mnist": KnownSet(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        (
            RemoteFile("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
            RemoteFile("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", 28_881),
            RemoteFile("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", 1_648_877),
            RemoteFile("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", 4_542),
        ),
        "70,000 handwritten digits, 28x28 (LeCun, Cortes, Burges 1998); usually cited as CC BY-SA 3.0",
    )
}


def download(
    name: str, folder: str | Path | None = None, *, address: str | None = None, progress: bool = False
) -> Path:
    """The folder that then holds the data set, every file as published.

    A file that is there and whole is kept. An interrupted download goes on where it stopped when the server can.

    Args:
        name: A known data set, such as ``mnist``.
        folder: Where to; left out, a folder of that name in the cache.
        address: A mirror's address or a local folder with the same files, in place of the usual address.
        progress: Show a bar for work of over a second.

    Raises:
        InputError: The set is unknown, the address does not answer, or a file is not the published one; it is not kept.
    """
    if name not in KNOWN:
        raise unknown_name("the data set", name, KNOWN)
    known = KNOWN[name]
    target = cache_folder() / "downloads" / name if folder is None else Path(os.path.expanduser(folder))
    try:
        target.mkdir(parents=True, exist_ok=True)
        total = sum(file.size for file in known.files)
        with Progress(f"fetching {name}", total, shown=progress, unit="bytes") as bar:
            for file in known.files:
                _fetch(file, target, address or known.address, bar)
    except OSError as error:
        got = f"{str(target)!r} ({error.strerror or error})"
        raise InputError("the download folder", "be a folder that can be written", got) from None
    return target


def _fetch(file: RemoteFile, folder: Path, address: str, bar: Progress) -> None:
    place, part = folder / file.name, folder / f"{file.name}.part"
    before = bar.done
    if not (place.is_file() and _md5(place) == file.md5):
        resumed = part.exists()
        _copy(file, part, address, bar)
        if resumed and _md5(part) != file.md5:  # the beginning may have been another file's
            part.unlink()
            bar.done = before
            _copy(file, part, address, bar)
        found = _md5(part)
        if found != file.md5:
            part.unlink()
            mend = "Nothing was kept; try another address."
            raise InputError(f"{file.name} from {address}", f"have the md5 sum {file.md5}", found, mend)
        files.put(part, place)
    bar.done = before
    bar.advance(file.size)


def _copy(file: RemoteFile, part: Path, address: str, bar: Progress) -> None:
    """Brings the file, or the rest of it, into `part`."""
    local = _local_folder(address)
    if local is not None:
        try:
            stream = open(local / file.name, "rb")  # noqa: SIM115
        except OSError as error:
            raise _unreachable(file, address, error.strerror or str(error)) from None
        with stream, open(part, "wb") as out:
            shutil.copyfileobj(stream, out, BLOCK)
        return
    start = part.stat().st_size if part.exists() else 0
    if start >= file.size:
        start = 0
    with _answer(file, address, start) as answer:
        goes_on = start > 0 and answer.status == 206
        with open(part, "ab" if goes_on else "wb") as out:
            bar.advance(start if goes_on else 0)
            for block in _blocks(answer, file, address):
                out.write(block)
                bar.advance(len(block))


def _answer(file: RemoteFile, address: str, start: int) -> http.client.HTTPResponse:
    headers = {"User-Agent": "vaelab"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        request = urllib.request.Request(f"{address.rstrip('/')}/{file.name}", headers=headers)
        return urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _unreachable(file, address, str(error) or type(error).__name__) from None


def _blocks(answer: http.client.HTTPResponse, file: RemoteFile, address: str) -> Iterator[bytes]:
    """The answer's bytes; never more than the file should have, so that a wrong address cannot fill the disk."""
    left = file.size + 1
    while left > 0:
        try:
            block = answer.read(min(BLOCK, left))
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(file, address, str(error) or type(error).__name__) from None
        if not block:
            return
        left -= len(block)
        yield block


def _local_folder(address: str) -> Path | None:
    if address.startswith(("http://", "https://")):
        return None
    if address.startswith("file://"):
        return Path(urllib.request.url2pathname(urllib.parse.urlsplit(address).path))
    return Path(os.path.expanduser(address))


def _unreachable(file: RemoteFile, address: str, reason: str) -> InputError:
    mend = "Give a mirror's address or a local folder with the same files."
    return InputError(file.name, f"be found at {address}", reason, mend)


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
