"""This machine: its name, its devices, its cache folder, how its memory is asked for. Importable without torch."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import time
from pathlib import Path
from typing import Literal

Device = Literal["auto", "cpu", "cuda"]
"""Where to compute; auto: on the GPU if there is one."""

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> bool:
    """Tells glibc to keep freed blocks of up to 1 GiB instead of giving them back; True where that was possible.

    Without it every activation of a convolutional network is returned to the system when freed and faulted in again,
    page by page, at the next step. It holds for the rest of the process, so only a command that computes and ends, such
    as training, should ask for it.
    """
    libc = _glibc()
    wanted = ((_MMAP_THRESHOLD, 1 << 30), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 64 << 20))
    return libc is not None and all(libc.mallopt(option, value) == 1 for option, value in wanted)


def give_back_memory() -> bool:
    """Gives freed blocks back to the system, and tells glibc to do so from now on with every one of 1 MiB and more.

    Without it glibc keeps blocks of up to 32 MiB once one was freed, and a server goes on holding what a question took.

    Returns:
        True where that was possible.
    """
    libc = _glibc()
    return libc is not None and libc.mallopt(_MMAP_THRESHOLD, 1 << 20) == 1 and libc.malloc_trim(0) in (0, 1)


def _glibc() -> ctypes.CDLL | None:
    """The C library, where it can be told how to ask for memory."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL(None)
        return libc if libc.mallopt and libc.malloc_trim else None
    except (OSError, AttributeError):
        return None


def processor() -> str:
    """The processor's name, as the system gives it."""
    return _told("model name") or platform.processor()


def processor_flags() -> set[str]:
    """What the processor can do, in the system's words, such as ``avx2`` or ``asimd``; empty where it doesn't tell."""
    return set((_told("flags") or _told("Features")).split())


def _told(key: str) -> str:
    """What the system says of the first core; empty where it says nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == key), "")


class Watch:
    """Watches, from now on, what share of the machine other processes take."""

    def __init__(self):
        self._begun = self._seconds()

    def others(self) -> float:
        """The share of all cores' time since then that others had, from 0 to 1; 0 where the system doesn't tell."""
        wall, busy, own = (now - then for now, then in zip(self._seconds(), self._begun, strict=True))
        return min(max(0.0, busy - own) / (wall * (os.cpu_count() or 1)), 1.0) if wall > 0 else 0.0

    @staticmethod
    def _seconds() -> tuple[float, float, float]:
        return time.perf_counter(), busy_seconds(), time.process_time()


def busy_seconds() -> float:
    """Processor time that the whole machine has spent on work; 0 where the system doesn't tell."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _idle, _wait, interrupts, soft, steal = map(int, fields[:8])
    return (user + nice + system + interrupts + soft + steal) / os.sysconf("SC_CLK_TCK")


def free_memory() -> int:
    """Bytes of memory that this process could still use, the system's cache of files among them."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def cache_folder() -> Path:
    """``$VAELAB_CACHE``, else ``~/.cache/vaelab``: what can be made again, and is kept to save time."""
    return Path(os.path.expanduser(os.environ.get("VAELAB_CACHE") or "~/.cache/vaelab"))
