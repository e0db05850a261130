"""Where a training computes, and how it is asked to stop."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vaelab import ranks
from vaelab.errors import InputError
from vaelab.machine import Device


def find_device(name: Device, what: str = "machine.device") -> torch.device:
    """The device of that name.

    Raises:
        InputError: There is no such device here.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError(what, "be one that is there", "cuda", "Take cpu or auto.")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    if (number := ranks.local_number()) >= (many := torch.cuda.device_count()):
        raise InputError(
            "the ranks of a machine", f"be at most its {many} GPUs", number + 1, "Start fewer, or take cpu."
        )
    return torch.device("cuda")


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """A list that stays empty until Ctrl-C (or a polite kill) asks to stop; a second Ctrl-C stops at once."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def ask(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        if ranks.number() == 0:
            print("\nFinishing the step and saving ...", file=sys.stderr)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
