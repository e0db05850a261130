"""Several seeds of an experiment, each in a folder of its own: begun together, and gone on with side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from vaelab import experiment as record
from vaelab.data import Dataset
from vaelab.errors import InputError
from vaelab.experiment import Experiment
from vaelab.machine import Device
from vaelab.runs.claim import claimed, free_folder
from vaelab.runs.interleaved import interleaved
from vaelab.runs.make import LENGTHS, findable, is_finished, ready, refuse_run, write_run
from vaelab.runs.processes import Job, run_all, seats_for
from vaelab.runs.read import read
from vaelab.training.checkpoint import check_room
from vaelab.training.device import find_device


def seed_folders(place: Path) -> list[Path]:
    """The runs ``seed-<seed>`` in a folder that is no run itself, by seed."""
    if (place / "experiment.json").exists():
        return []
    found = (file.parent for file in place.glob("seed-*/experiment.json"))
    return sorted((run for run in found if run.name[5:].isdecimal()), key=lambda run: int(run.name[5:]))


def begin_seeds(
    experiment: Experiment,
    seeds: Sequence[int],
    place: Path | str | None = None,
    *,
    strict: bool = False,
    progress: bool = True,
    tell: Callable[[Dataset], None] = lambda dataset: None,
) -> list[Path]:
    """Begins a run for each seed, ``<place>/seed-<seed>``, from which `resume_seeds` goes on.

    How they are computed is chosen once, so that the same kernels compute all of them.

    Args:
        experiment: What to train; its own seed does not count.
        seeds: All different.
        place: The folder of these runs; None: ``runs/<name>-<k>``.
        strict: Refuse the images when any file cannot be used.
        progress: Show a progress bar, and say what was chosen.
        tell: Called with the images, to say how they were read.

    Raises:
        InputError: A folder holds a run already, the place holds seeds of another experiment, or the images or settings
            cannot be used.
    """
    experiment = findable(experiment)
    if place is not None:
        for seed in seeds:
            refuse_run(Path(place) / f"seed-{seed}")
        _check_alike(Path(place), experiment)
    device = find_device(experiment.machine.device)
    dataset = experiment.prepare(strict=strict, progress=progress)
    tell(dataset)
    one = replace(experiment.machine, threads=experiment.machine.threads or 1)
    first = replace(experiment, machine=one, seed=seeds[0])
    model, _, choices, order = ready(first, dataset, device, progress=progress)
    place = free_folder(experiment.name) if place is None else Path(place)
    folders = [place / f"seed-{seed}" for seed in seeds]
    for seed, folder in zip(seeds, folders, strict=True):
        with claimed(folder):
            refuse_run(folder)
            check_room(folder, model)
            write_run(replace(experiment, seed=seed), dataset, choices, device, folder, order)
    return folders


def resume_seeds(
    folders: Sequence[Path],
    *,
    images: Path | str | None = None,
    device: Device | None = None,
    changes: Sequence[tuple[str, str]] = (),
    progress: bool = True,
) -> dict[Path, tuple[int, str]]:
    """Goes on with runs that differ in the seed alone, as far as they are not finished.

    On a CPU each is a process of its own with one thread, as many at a time as cores, which gives more images a second
    than one process with as many threads after another. On a GPU they take turns in this process, a step of each. Of
    several GPUs each has one process at a time.

    Args:
        folders: Of the runs.
        images: Where their images are, if they have moved since.
        device: Where to compute, if not where their experiment says.
        changes: (path, text) of settings of their length, as `vaelab resume` takes them.
        progress: Show a line for each.

    Returns:
        Folder -> exit code, and what was said.

    Raises:
        InputError: They are of several experiments, or the device is not there.
        KeyboardInterrupt: Ctrl-C; every run has finished its step and saved.
    """
    runs = [read(folder) for folder in folders]
    _check_alike(folders[0].parent, runs[0].experiment)
    pending = [run for run in runs if changes or not is_finished(run)]
    ended = {run.folder: (0, "") for run in runs}
    if not pending:
        return ended
    farewell = f"every seed has saved. Go on with: vaelab resume {folders[0].parent}"
    on_gpu = find_device(device or runs[0].experiment.machine.device, "the device").type == "cuda"
    if on_gpu and torch.cuda.device_count() == 1:
        failed = interleaved(
            [run.folder for run in pending], images, device, changes, progress=progress, farewell=farewell
        )
        return ended | {folder: (2, why) for folder, why in failed.items()}
    with tempfile.TemporaryDirectory() as logs:
        flags = [f"--{path}={text}" for path, text in (*changes, ("device", device), ("images", images)) if text]
        jobs = [
            Job(
                folder=run.folder,
                command=["resume", str(run.folder), "--quiet", *flags],
                log=Path(logs) / f"{run.folder.name}.txt",
                pinned=run.experiment.machine.threads in (None, 1),
            )
            for run in pending
        ]
        seats = seats_for([run.experiment for run in pending] if device is None or on_gpu else [])
        run_all(jobs, seats, progress=progress, farewell=farewell)
        return ended | {job.folder: (job.code or 0, job.text()) for job in jobs}


def _check_alike(place: Path, experiment: Experiment) -> None:
    """Refuses a folder of seeds in which a run differs from the experiment in more than seed and length."""
    may = ("seed", *(f"training.{name}" for name in LENGTHS))
    for folder in seed_folders(place):
        changed = record.differences(record.read(folder / "experiment.json"), experiment)
        if paths := [path for path in changed if path not in may]:
            mend = "Take another folder, or go on with each run by itself."
            raise InputError(
                str(place), "hold seeds of one experiment", f"others in {folder.name}: {', '.join(paths)}", mend
            )
