"""Commands of vaelab side by side: a process for each, one thread each, on a core or a GPU of its own."""

from __future__ import annotations

import csv
import fcntl
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch

from vaelab.experiment import Experiment
from vaelab.machine import cache_folder
from vaelab.screen import Lines

_MANY = 12
"""Processes of which each has a line."""


@dataclass(eq=False)
class Job:
    """A command that trains one run, and its process."""

    folder: Path
    """Of the run."""
    command: list[str]
    """The words after `vaelab`."""
    log: Path
    """The file to which what the process says is added."""
    pinned: bool = True
    """Whether one core is enough for it."""
    process: subprocess.Popen | None = field(default=None, init=False)
    seat: str = field(default="", init=False)
    begins: int = field(default=0, init=False)

    def start(self, seat: str) -> None:
        """Starts it on a seat, in a session of its own, which Ctrl-C in the terminal does not reach: we tell it, once.

        A core is held by a lock that the process inherits, so that it is free again when the process has ended,
        whatever has become of us.
        """
        self.seat, self.begins = seat, self.log.stat().st_size if self.log.exists() else 0
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **({"CUDA_VISIBLE_DEVICES": seat} if seat else {})}
        core, lock = (None, None) if seat or not self.pinned else _free_core()
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "vaelab", *self.command], env=environment, stdin=subprocess.DEVNULL,
                stdout=said, stderr=said, start_new_session=True, pass_fds=() if lock is None else (lock,),
            )  # fmt: skip
        if core is not None and lock is not None:
            with suppress(OSError):  # it has ended already
                os.sched_setaffinity(self.process.pid, {core})
            os.close(lock)

    @property
    def code(self) -> int | None:
        """None until it has ended."""
        return None if self.process is None else self.process.poll()

    @property
    def runs(self) -> bool:
        """Whether it has begun and not ended."""
        return self.process is not None and self.process.poll() is None

    def text(self) -> str:
        """What this process said."""
        with self.log.open("rb") as file:
            file.seek(self.begins)
            return file.read().decode(errors="replace").strip()

    def line(self) -> str:
        """How far it is, in words."""
        if self.process is None:
            return f"{self.folder}: waits for a core"
        if self.code is not None:
            return f"{self.folder}: {'done' if self.code == 0 else 'failed'}"
        try:
            with (self.folder / "metrics.csv").open(newline="") as file:
                rows = list(csv.DictReader(file))
            return f"{self.folder}: step {int(rows[-1]['step']):,}, loss {float(rows[-1]['loss']):.1f} nats"
        except (OSError, IndexError, KeyError, TypeError, ValueError):
            return f"{self.folder}: begins"


def seats_for(experiments: Sequence[Experiment], at_once: int | None = None) -> list[str]:
    """A seat for each process that may run at a time: the name of its GPU, or nothing where it computes on a core.

    Args:
        experiments: What is to be trained; if one of them may use a GPU and one is there, all take their turn at these.
        at_once: How many; None: one for each GPU, or for each core that we may use.
    """
    gpus = [""]
    if torch.cuda.is_available() and any(each.machine.device != "cpu" for each in experiments):
        seen = os.environ.get("CUDA_VISIBLE_DEVICES")
        gpus = seen.split(",") if seen else [str(number) for number in range(torch.cuda.device_count())]
    count = at_once or (len(gpus) if gpus[0] else len(_cores()) or os.cpu_count() or 1)
    return [gpus[k % len(gpus)] for k in range(count)]


def run_all(
    jobs: Sequence[Job],
    seats: Sequence[str],
    *,
    progress: bool,
    farewell: str,
    ended: Callable[[Job, Lines], bool] = lambda job, lines: True,
) -> None:
    """Runs the commands in their order, as many at a time as there are seats.

    Args:
        jobs: The commands.
        seats: As `seats_for` gives them.
        progress: Show a line for each process.
        farewell: What the message says after "Stopped" on Ctrl-C.
        ended: Called as each has ended; whether the others go on. If not, those that run finish their step and save.

    Raises:
        KeyboardInterrupt: Ctrl-C; every process has finished its step and saved.
    """
    waiting, open_ = list(jobs), []
    with Lines(shown=progress) as lines, _stopping(jobs, farewell):
        while waiting or open_:
            free = list(seats)
            for job in open_:
                free.remove(job.seat)
            while waiting and free:
                open_.append(waiting.pop(0))
                open_[-1].start(free.pop(0))
            lines.show(_shown(jobs))
            time.sleep(0.1)
            for job in [job for job in open_ if job.code is not None]:
                open_.remove(job)
                if not ended(job, lines):
                    return
        lines.show(_shown(jobs))


def _shown(jobs: Sequence[Job]) -> list[str]:
    """A line for each; of more than a screen holds, for those that run, and how many there are of the others."""
    if len(jobs) <= _MANY:
        return [job.line() for job in jobs]
    ended = [job for job in jobs if job.code is not None]
    failed, running = sum(job.code != 0 for job in ended), [job for job in jobs if job.runs]
    rest = len(jobs) - len(ended) - len(running)
    return [*(job.line() for job in running), f"done {len(ended) - failed}, failed {failed}, waiting {rest}"]


@contextmanager
def _stopping(jobs: Sequence[Job], farewell: str) -> Iterator[None]:
    """Whatever ends the block, the processes are asked to finish their step and save, and are waited for.

    Ctrl-C ends it even where a shell started us in the background, with Ctrl-C ignored, as in a training of one seed.
    """

    def ask(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        _stop(jobs)
        raise KeyboardInterrupt(f"Stopped; {farewell}") from None
    finally:
        _stop(jobs)
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(jobs: Sequence[Job]) -> None:
    running = [job.process for job in jobs if job.process and job.runs]
    for process in running:
        process.terminate()
    for process in running:
        process.wait()


def _cores() -> list[int]:
    """The cores that we may use, where the system tells."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _free_core() -> tuple[int | None, int | None]:
    """A core that no other such process of ours holds, and its lock; None where there is none."""
    place = cache_folder() / "cores"
    for core in _cores():
        try:
            place.mkdir(parents=True, exist_ok=True)
            lock = os.open(place / f"{platform.node()}-{core}", os.O_CREAT | os.O_RDWR, 0o666)
        except OSError:
            return None, None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return core, lock
        except OSError:
            os.close(lock)
    return None, None
