"""Who writes into a run's folder: one process at a time, by a lock that a dead owner gives up."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from vaelab.errors import InputError
from vaelab.files import check_folder

LOCK = ".owner.json"


class Owned(InputError):
    """The refusal of a folder that another process writes."""

    here = False
    """Whether that process is on this machine, where its death would be noticed."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """The folder, made if it is not there, is this process's own inside the block.

    The lock is the kernel's, so a process that dies gives it up; what stands in the file says who holds it.

    Raises:
        Owned: A living process owns it.
        InputError: It cannot be written.
    """
    check_folder(folder)
    lock = folder / LOCK
    handle = _locked(lock)
    owner = _read(handle) if handle is not None else _told(lock)
    elsewhere = owner.get("host") not in (None, platform.node())
    if handle is None or elsewhere:
        if handle is not None:
            os.close(handle)
        got = f"process {owner.get('process')} on {owner.get('host')}, since {owner.get('since')}"
        mend = f"Wait for it, or stop it; if it is gone, remove {lock}."
        refusal = Owned(str(folder), "have one writer at a time", got, mend)
        refusal.here = not elsewhere
        raise refusal
    try:
        mine = {"process": os.getpid(), "host": platform.node(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(mine).encode(), 0)
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def is_claimed(folder: Path) -> bool:
    """Whether a living process of this machine writes into the folder now: the run in it is being trained."""
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def free_folder(name: str, parent: Path | str = "runs") -> Path:
    """``runs/<name>-<k>`` with the first k that is not taken, made by this call, so that nobody else gets the same."""
    for k in count(1):
        folder = Path(parent) / f"{name}-{k}"
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(str(folder), "be a folder that can be made", error.strerror, "Choose --out.") from None
    raise AssertionError


def _locked(lock: Path) -> int | None:
    """The lock's file, opened and held; None: another process holds it."""
    while True:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), os.stat(lock)):
                return handle
        except FileNotFoundError:
            pass
        except BlockingIOError:
            os.close(handle)
            return None
        os.close(handle)  # its last owner removed it meanwhile: this is a file that nobody else will open


def _told(lock: Path) -> dict[str, object]:
    """What the lock of a living owner says; one that is not written yet is given a moment."""
    owner: dict[str, object] = {}
    for _ in range(20):
        try:
            handle = os.open(lock, os.O_RDONLY)
        except FileNotFoundError:
            return owner
        owner = _read(handle)
        os.close(handle)
        if owner:
            break
        time.sleep(0.05)
    return owner


def _read(handle: int) -> dict[str, object]:
    """What stands in a lock's file; nothing where it is not to be read."""
    try:
        found = json.loads(os.pread(handle, 4096, 0) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
