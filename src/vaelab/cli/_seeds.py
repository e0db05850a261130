"""Several seeds side by side: one process per core, one thread each."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from vaelab.cli._notes import say_left_out
from vaelab.data import prepare
from vaelab.errors import InputError
from vaelab.experiment import Experiment, write
from vaelab.runs import free_folder


def train_seeds(experiment: Experiment, seeds: Sequence[int], out: str | None, *, strict: bool, quiet: bool) -> int:
    """Trains the experiment with each seed, in a process of its own, in ``<out>/seed-<seed>``; the exit code.

    Every process has one thread, and there are as many at a time as cores (one at a time on a GPU), which gives more
    images a second than one process with as many threads after another. The images are prepared once, before.

    Raises:
        InputError: The images cannot be used, or a folder holds a run already.
        KeyboardInterrupt: Ctrl-C; every process has finished its step and saved.
    """
    folder = Path(out) if out else free_folder(experiment.name)
    folders = [folder / f"seed-{seed}" for seed in seeds]
    for taken in folders:
        if (taken / "experiment.json").exists():
            raise InputError(str(taken), "be a new folder", "one that holds a run", f"Or: vaelab resume {taken}")
    collection = prepare(experiment.data, strict=strict, progress=not quiet).collection
    say_left_out(collection.left_out, len(collection))
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "experiment.json"
        write(experiment, file)
        flags = ["--quiet", *(["--strict"] if strict else [])]
        commands = [
            ["train", str(file), "--seed", str(seed), "--out", str(path), *flags]
            for seed, path in zip(seeds, folders, strict=True)
        ]
        codes = _run_all(commands, folders, Path(place), _num_processes(experiment), quiet)
    return max(codes, key=abs)


def _run_all(commands: list[list[str]], folders: list[Path], place: Path, at_once: int, quiet: bool) -> list[int]:
    from rich.console import Console
    from rich.live import Live

    waiting = list(range(len(commands)))
    running: dict[int, subprocess.Popen] = {}
    codes: dict[int, int] = {}
    errors: list[IO[bytes]] = [(place / f"{i}.err").open("wb") for i in waiting]
    with Live(console=Console(stderr=True, quiet=quiet), refresh_per_second=4) as live, _stopping(running):
        while waiting or running:
            while waiting and len(running) < at_once:
                number = waiting.pop(0)
                running[number] = _start(commands[number], errors[number])
            for number, process in list(running.items()):
                code = process.poll()
                if code is not None:
                    codes[number] = code
                    del running[number]
            live.update("\n".join(_line(folder, i, running, codes) for i, folder in enumerate(folders)))
            time.sleep(0.1)
    for number, file in enumerate(errors):
        file.close()
        said = Path(file.name).read_text(errors="replace").strip()
        if codes[number]:
            print(f"{folders[number]}: {said or f'ended with code {codes[number]}'}", file=sys.stderr)
            continue
        for note in (line for line in said.splitlines() if line.startswith("Note:")):
            print(f"{folders[number]}: {note}", file=sys.stderr)
        if not quiet:
            print(f"Next: vaelab report {folders[number]}")
    return [codes[number] for number in range(len(commands))]


def _start(command: list[str], errors: IO[bytes]) -> subprocess.Popen:
    """A process that Ctrl-C in the terminal does not reach: it is told by us, once."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-P", "-m", "vaelab", *command]
    return subprocess.Popen(arguments, env=environment, stdout=errors, stderr=errors, start_new_session=True)


@contextmanager
def _stopping(running: dict[int, subprocess.Popen]) -> Iterator[None]:
    """Whatever ends the block, the processes are asked to finish their step and save, and are waited for."""

    def ask(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield
    except KeyboardInterrupt:
        _stop(running)
        raise KeyboardInterrupt(
            "Stopped; every seed has saved. Go on with vaelab resume, for each of the folders."
        ) from None
    finally:
        _stop(running)
        signal.signal(signal.SIGTERM, before)


def _stop(running: dict[int, subprocess.Popen]) -> None:
    for process in running.values():
        process.terminate()
    for process in running.values():
        process.wait()
    running.clear()


def _line(folder: Path, number: int, running: dict[int, subprocess.Popen], codes: dict[int, int]) -> str:
    if number in codes:
        return f"{folder}: {'done' if codes[number] == 0 else 'failed'}"
    if number not in running:
        return f"{folder}: waits for a core"
    try:
        with (folder / "metrics.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        return f"{folder}: step {int(rows[-1]['step']):,}, loss {float(rows[-1]['loss']):.1f} nats"
    except (OSError, IndexError, KeyError, TypeError, ValueError):
        return f"{folder}: begins"


def _num_processes(experiment: Experiment) -> int:
    import torch

    if experiment.machine.device != "cpu" and torch.cuda.is_available():
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
