"""A study carried out: what is not done in its folder is trained, each run by a process of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from vaelab.data import Dataset
from vaelab.errors import InputError
from vaelab.files import check_folder
from vaelab.runs import Run, load, resume, train
from vaelab.runs.claim import Owned
from vaelab.runs.folder import read_facts
from vaelab.runs.processes import Job, run_all, seats_for
from vaelab.screen import Lines
from vaelab.settings.help import flat
from vaelab.settings.record import digest, to_record
from vaelab.studies._study import Study, StudyRun, check_fit, write_study

_POLL_S = 1.0
"""Between two looks at a run that another process trains."""


def do_run(run: StudyRun, *, progress: bool = True) -> Run:
    """Brings one run to its end from wherever it is: begun, gone on with, waited for, or only read.

    Args:
        run: The run.
        progress: Show progress bars.

    Raises:
        InputError: It has other settings in its folder, its images or settings cannot be used, or a process on another
            machine trains it.
        Interrupted: The user stopped it; it is saved.
    """
    check_fit([run])
    waits = False
    while True:
        begun = run.is_begun
        try:
            if run.is_done:
                return load(run.folder)
            return (
                resume(run.folder, progress=progress) if begun else train(run.experiment, run.folder, progress=progress)
            )
        except Owned as error:
            if not error.here:
                raise
            if not waits:
                print(f"{run.folder} is trained by {error.got}; waiting for it.", file=sys.stderr)
            waits = True
            time.sleep(_POLL_S)
        except InputError:
            if begun or not run.is_begun:
                raise  # else another process has begun it meanwhile


def do_study(
    study: Study,
    folder: Path,
    *,
    jobs: int | None = None,
    stop: bool = False,
    progress: bool = True,
    tell: Callable[[Dataset], None] = lambda dataset: None,
) -> dict[str, str]:
    """Trains what of a study is not done yet, and says at once what fails; the rest goes on.

    The study is written into the folder, and every process reads it from there: a file that is changed meanwhile
    changes nothing. What a process says lies beside its run, in ``NAME/seed-SEED.log``.

    Args:
        study: The study.
        folder: Where its runs are, or shall be.
        jobs: Processes at a time; None: one for each core, or each GPU.
        stop: Stop at the first failure; what runs finishes its step and saves.
        progress: Show a line for each process.
        tell: Called with each data set, to say how it was read.

    Returns:
        Name of a run that failed -> why.

    Raises:
        InputError: The folder holds runs of the study's names with other settings, or of other images.
        KeyboardInterrupt: Ctrl-C; every run has finished its step and saved.
    """
    runs = study.runs(folder)
    check_fit(runs)
    pending = [run for run in runs if not run.is_done]
    if not pending:
        return {}
    check_folder(folder)
    write_study(study, folder / "study.json")
    varied, failed = study.varied(), _prepare(pending, runs, progress, tell)
    for run in pending:
        if run.name in failed:
            print(_failure(run, varied, failed[run.name]), file=sys.stderr)
    if failed and stop:
        return failed
    waiting = {run.folder: run for run in pending if run.name not in failed}

    def ended(job: Job, lines: Lines) -> bool:
        run, said = waiting[job.folder], job.text().splitlines()
        if job.code:
            failed[run.name] = said[-1] if said else f"its process ended with code {job.code}"
            lines.say(_failure(run, varied, failed[run.name], f" Its log: {run.log}"))
        for line in said if not job.code else ():
            if line.startswith("Note:"):
                lines.say(f"{run.name}: {line}")
        return not (job.code and stop)

    farewell = "every run has saved. The same command goes on."
    seats = seats_for([run.experiment for run in waiting.values()], jobs)
    run_all([_job(run) for run in waiting.values()], seats, progress=progress, farewell=farewell, ended=ended)
    return failed


def _job(run: StudyRun) -> Job:
    run.log.parent.mkdir(parents=True, exist_ok=True)
    command = ["study", str(run.place / "study.json"), "--only", run.name, "-o", str(run.place), "--quiet"]
    return Job(folder=run.folder, command=command, log=run.log, pinned=run.experiment.machine.threads in (None, 1))


def _prepare(
    pending: Sequence[StudyRun], runs: Sequence[StudyRun], progress: bool, tell: Callable[[Dataset], None]
) -> dict[str, str]:
    """Prepares the images of what is to be trained, each collection once, so that the processes find them in the cache.

    Returns:
        Name of a run whose images cannot be used -> why.

    Raises:
        InputError: They are not those that a run in the folder was trained on.
    """
    failed, of = {}, {run.name: digest(to_record(run.experiment.data)) for run in runs}
    for same in dict.fromkeys(of[run.name] for run in pending):
        mine = [run for run in pending if of[run.name] == same]
        try:
            dataset = mine[0].experiment.prepare(progress=progress)
        except InputError as error:
            failed |= {run.name: str(error) for run in mine}
            continue
        tell(dataset)
        _check_images([run for run in runs if of[run.name] == same and run.is_begun], dataset.content_hash)
    return failed


def _check_images(runs: Iterable[StudyRun], now: str) -> None:
    for run in runs:
        then = read_facts(run.folder / "data.json").content_hash
        if then != now:
            should, mend = f"be those of {run.folder} ({then[:12]})", "Put them back, or take another folder with -o."
            raise InputError("the study's images", should, now[:12], mend)


def _failure(run: StudyRun, varied: Sequence[str], why: str, log: str = "") -> str:
    """That a run failed, with the settings that tell it from the others."""
    own = flat(run.experiment)
    setting = ", ".join(f"{path} {own[path]}" for path in varied if path in own)
    return f"Failed: {run.name}{f' ({setting})' if setting else ''}: {why}{log}"
