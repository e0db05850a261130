"""Several seeds side by side: a process for each, one per core, one thread each."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import torch

from vaelab.experiment import Experiment, write
from vaelab.runs.claim import free_folder
from vaelab.runs.make import refuse_run
from vaelab.screen import Lines


def seed_folders(experiment: Experiment, seeds: Sequence[int], folder: Path | str | None = None) -> dict[int, Path]:
    """Seed -> ``<folder>/seed-<seed>``, none of which holds a run yet; default ``runs/<name>-<k>/seed-<seed>``.

    Raises:
        InputError: One does.
    """
    place = Path(folder) if folder else free_folder(experiment.name)
    folders = {seed: place / f"seed-{seed}" for seed in seeds}
    for taken in folders.values():
        refuse_run(taken)
    return folders


def train_seeds(
    experiment: Experiment, folders: Mapping[int, Path], *, strict: bool = False, progress: bool = True
) -> dict[Path, tuple[int, str]]:
    """Trains the experiment with each seed by the command `vaelab train`, in a process of its own.

    Every process has one thread, and there are as many at a time as cores (one at a time on a GPU), which gives more
    images a second than one process with as many threads after another.

    Args:
        experiment: What to train; its seed is set by each process.
        folders: Seed -> folder of its run.
        strict: Refuse the images when any file cannot be used.
        progress: Show a line for each process.

    Returns:
        Folder -> exit code of its process, and what it said.

    Raises:
        KeyboardInterrupt: Ctrl-C; every process has finished its step and saved.
    """
    with tempfile.TemporaryDirectory() as place, ExitStack() as files:
        file = Path(place) / "experiment.json"
        write(experiment, file)
        flags = ["--quiet", *(["--strict"] if strict else [])]
        trainings = [
            _Training(
                folder=folder,
                command=["train", str(file), "--seed", str(seed), "--out", str(folder), *flags],
                said=files.enter_context((Path(place) / f"{seed}.txt").open("w+b")),
            )
            for seed, folder in folders.items()
        ]
        _run_all(trainings, _num_processes(experiment), progress)
        return {training.folder: (training.code or 0, training.text()) for training in trainings}


@dataclass
class _Training:
    """One seed's process."""

    folder: Path
    command: list[str]
    said: IO[bytes]
    process: subprocess.Popen | None = field(default=None)

    def start(self) -> None:
        """In a session of its own, which Ctrl-C in the terminal does not reach: it is told by us, once."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        arguments = [sys.executable, "-P", "-m", "vaelab", *self.command]
        self.process = subprocess.Popen(
            arguments, env=environment, stdout=self.said, stderr=self.said, start_new_session=True
        )

    @property
    def code(self) -> int | None:
        """None until it has ended."""
        return None if self.process is None else self.process.poll()

    @property
    def runs(self) -> bool:
        """Whether it has begun and not ended."""
        return self.process is not None and self.process.poll() is None

    def text(self) -> str:
        """What it said."""
        self.said.seek(0)
        return self.said.read().decode(errors="replace").strip()

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


def _run_all(trainings: list[_Training], at_once: int, progress: bool) -> None:
    waiting = list(trainings)
    with Lines(shown=progress) as lines, _stopping(trainings):
        while any(training.code is None for training in trainings):
            while waiting and sum(training.runs for training in trainings) < at_once:
                waiting.pop(0).start()
            lines.show([training.line() for training in trainings])
            time.sleep(0.1)
        lines.show([training.line() for training in trainings])


@contextmanager
def _stopping(trainings: list[_Training]) -> Iterator[None]:
    """Whatever ends the block, the processes are asked to finish their step and save, and are waited for.

    Ctrl-C ends it even where a shell started us in the background, with Ctrl-C ignored, as in a training of one seed.
    """

    def ask(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        _stop(trainings)
        raise KeyboardInterrupt(
            "Stopped; every seed has saved. Go on with vaelab resume, for each of the folders."
        ) from None
    finally:
        _stop(trainings)
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(trainings: list[_Training]) -> None:
    running = [training.process for training in trainings if training.process and training.runs]
    for process in running:
        process.terminate()
    for process in running:
        process.wait()


def _num_processes(experiment: Experiment) -> int:
    if experiment.machine.device != "cpu" and torch.cuda.is_available():
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
