"""Several seeds of an experiment side by side, in a new folder for each."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from vaelab.experiment import Experiment, write
from vaelab.runs.claim import free_folder
from vaelab.runs.make import refuse_run
from vaelab.runs.processes import Job, run_all, seats_for


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

    Every process has one thread, and there are as many at a time as cores (or as GPUs), which gives more images a
    second than one process with as many threads after another.

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
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "experiment.json"
        write(experiment, file)
        flags = ["--quiet", *(["--strict"] if strict else [])]
        one_core = experiment.machine.threads in (None, 1)
        jobs = [
            Job(
                folder=folder,
                command=["train", str(file), "--seed", str(seed), "--out", str(folder), *flags],
                log=Path(place) / f"{seed}.txt",
                pinned=one_core,
            )
            for seed, folder in folders.items()
        ]
        farewell = "every seed has saved. Go on with vaelab resume, for each of the folders."
        run_all(jobs, seats_for([experiment]), progress=progress, farewell=farewell)
        return {job.folder: (job.code or 0, job.text()) for job in jobs}
