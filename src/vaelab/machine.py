"""This machine: its name, its devices, its cache folder, how its memory is asked for. Importable without torch."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from pathlib import Path
from typing import Literal

Device = Literal["auto", "cpu", "cuda"]
"""Where to compute; auto: on the GPU if there is one."""

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> bool:
    """Tells glibc to keep freed blocks of up to 1 GiB instead of giving them back; True where that was possible.

    Without it every activation of a convolutional network is returned to the system when freed and faulted in again,
    page by page, at the next step. It holds for the rest of the process, so only a training process should ask for it.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    wanted = ((_MMAP_THRESHOLD, 1 << 30), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 64 << 20))
    return all(mallopt(ctypes.c_int(option), ctypes.c_int(value)) == 1 for option, value in wanted)


def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def cache_folder() -> Path:
    """``$VAELAB_CACHE``, else ``~/.cache/vaelab``: what can be made again, and is kept to save time."""
    return Path(os.path.expanduser(os.environ.get("VAELAB_CACHE") or "~/.cache/vaelab"))
