"""Who writes into a run's folder: one process at a time, by a lock that a dead owner gives up."""

from __future__ import annotations

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


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """The folder, made if it is not there, is this process's own inside the block.

    Raises:
        InputError: A living process owns it; or it cannot be written.
    """
    check_folder(folder)
    lock, mine = folder / LOCK, _myself()
    while True:
        try:
            handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            break
        except FileExistsError:
            owner = _read(lock)
            if owner and _lives(owner):
                got = f"process {owner.get('process')} on {owner.get('host')}, since {owner.get('since')}"
                mend = f"Wait for it, or stop it; if it is gone, remove {lock}."
                raise InputError(str(folder), "have one writer at a time", got, mend) from None
            lock.unlink(missing_ok=True)
    with os.fdopen(handle, "w") as file:
        json.dump(mine, file)
    try:
        yield
    finally:
        if _read(lock) == mine:
            lock.unlink(missing_ok=True)


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


def _myself() -> dict[str, object]:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return {"process": os.getpid(), "started": _started(os.getpid()), "host": platform.node(), "since": since}


def _read(lock: Path) -> dict[str, object] | None:
    """What the lock says; an unfinished one is given a moment."""
    for _ in range(20):
        try:
            return json.loads(lock.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            time.sleep(0.05)
    return None


def _lives(owner: dict[str, object]) -> bool:
    """Whether the owner still runs; one on another host is taken to."""
    if owner.get("host") != platform.node():
        return True
    process = owner.get("process")
    if not isinstance(process, int) or process == os.getpid():
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return _started(process) == owner.get("started")


def _started(process: int) -> str | None:
    """When a process began, in the system's ticks, which tells it from a later one of the same number."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None
