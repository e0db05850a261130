"""A study's runs as jobs of a Slurm cluster, by submitit; those whose time is up are queued again."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaelab import files
from vaelab.errors import InputError
from vaelab.runs.processes import Job, shown
from vaelab.screen import Lines

if TYPE_CHECKING:
    from submitit import SlurmJob
    from submitit.helpers import DelayedSubmission

_POLL_S, _ASK_S = 1.0, 30.0
"""Between two looks at a job's files, and between two questions to the cluster."""
_MOST_TIMES = 1000
"""That a run is queued again."""
_AT_ONCE = 1000


class Command:
    """Runs a command of vaelab on the cluster; when its time is up, it is stopped, saves, and is queued again."""

    process: subprocess.Popen | None = None

    def __call__(self, words: list[str], log: str) -> int:
        with Path(log).open("ab") as said:
            command = [sys.executable, "-P", "-m", "vaelab", *words]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        self._wait(self.process)
        return self.process.wait()

    def checkpoint(self, words: list[str], log: str) -> DelayedSubmission:
        """What is queued again; submitit asks for it on the signal that comes before the end."""
        from submitit.helpers import DelayedSubmission

        if self.process is not None:
            self.process.terminate()
            self._wait(self.process)
        return DelayedSubmission(Command(), words, log)

    def _wait(self, process: subprocess.Popen) -> None:
        """Until it has ended. In a handler of signals, which interrupts a wait, Popen's own would wait for itself."""
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


@dataclass(eq=False)
class RemoteJob(Job):
    """A command that a job of the cluster runs."""

    remote: SlurmJob | None = field(default=None, init=False)
    ended: int | None = field(default=None, init=False)
    asked: float = field(default=0.0, init=False)

    def follow(self, remote: SlurmJob) -> None:
        """From now on it is this job of the cluster's."""
        self.remote, self.begins = remote, self.log.stat().st_size if self.log.exists() else 0

    @property
    def code(self) -> int | None:
        """None until it has ended; what Slurm ended before it could say a code has 1, and a line in its log."""
        if self.ended is None and self.remote is not None:
            ask = time.monotonic() - self.asked > _ASK_S
            self.asked = time.monotonic() if ask else self.asked
            if self.remote.done(force_check=ask):
                self.ended = self._outcome(self.remote)
        return self.ended

    def _outcome(self, remote: SlurmJob) -> int:
        from submitit.core.utils import UncompletedJobError

        try:
            return remote.result()
        except UncompletedJobError:
            state = remote.get_info().get("State", "nobody knows what")
            with self.log.open("a") as file:
                file.write(f"Slurm's job {remote.job_id} ended as {state}\n")
            return 1

    def line(self) -> str:
        """How far it is, in words."""
        if self.code is not None or self.remote is None:
            return super().line()
        return f"{self.folder}: {self.how_far() or f'job {self.remote.job_id} waits or begins'}"


def run_on_slurm(
    jobs: Sequence[RemoteJob],
    folder: Path,
    partition: str,
    hours: float,
    *,
    at_once: int | None = None,
    progress: bool,
    ended: Callable[[Job, Lines], bool],
) -> None:
    """Submits the commands as one array, but for those whose jobs an earlier call submitted, and waits for all.

    Args:
        jobs: The commands.
        folder: The study's; submitit's files and the numbers of the jobs stand in its ``slurm``, which the cluster's
            machines must see under the same path.
        partition: Slurm's name of the machines.
        hours: A job's time. A run that needs longer is saved before its end, queued again and goes on.
        at_once: Jobs at a time; None: as many as the cluster grants.
        progress: Show a line for each.
        ended: Called as each has ended; whether the others go on. If not, they are cancelled.

    Raises:
        InputError: submitit or Slurm is missing, or refuses the jobs.
        KeyboardInterrupt: Ctrl-C; the jobs go on.
    """
    for job, remote in zip(jobs, _submit(jobs, folder.absolute(), partition, hours, at_once), strict=True):
        job.follow(remote)
    open_ = list(jobs)
    try:
        with Lines(shown=progress) as lines:
            while open_:
                lines.show(shown(jobs))
                time.sleep(_POLL_S)
                for job in [job for job in open_ if job.code is not None]:
                    open_.remove(job)
                    if not ended(job, lines):
                        for other in open_:
                            assert other.remote is not None
                            other.remote.cancel(check=False)
                        return
            lines.show(shown(jobs))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"Stopped waiting for {len(open_)} jobs, which go on: `squeue --me` shows them, `scancel` ends them. The "
            "same command waits for them again."
        ) from None


def _submit(jobs: Sequence[Job], folder: Path, partition: str, hours: float, at_once: int | None) -> list[SlurmJob]:
    """A job of the cluster for each command: the one that is there already, or a new one."""
    try:
        from submitit import SlurmExecutor, SlurmJob
        from submitit.core.utils import FailedJobError, FailedSubmissionError
    except ImportError:
        should, mend = "be used where submitit is installed", "Install it: pip install 'vaelab[slurm]'."
        raise InputError("--slurm", should, "a Python without it", mend) from None
    if not all(map(shutil.which, ("sbatch", "srun"))):
        mend = "Go to a machine of the cluster from which jobs are submitted, or take --plan."
        raise InputError("--slurm", "be used where Slurm's sbatch and srun are", "a machine without them", mend)
    place, names = folder / "slurm", [str(job.folder.absolute().relative_to(folder)) for job in jobs]
    files.check_folder(place)
    record = place / "jobs.json"
    known: dict[str, str] = files.read_json(record) if record.exists() else {}
    found: dict[str, Any] = {
        name: SlurmJob(folder=place, job_id=number, tasks=[0]) for name, number in known.items() if name in names
    }
    found = {name: job for name, job in found.items() if not job.done(force_check=True)}
    new = {name: job for name, job in zip(names, jobs, strict=True) if name not in found}
    if new:
        executor = SlurmExecutor(folder=place, max_num_timeout=_MOST_TIMES)
        executor.update_parameters(
            job_name="vaelab", partition=partition, time=math.ceil(60 * hours), cpus_per_task=1,
            array_parallelism=at_once or _AT_ONCE, stderr_to_stdout=True,
        )  # fmt: skip
        commands, logs = [job.command for job in new.values()], [str(job.log.absolute()) for job in new.values()]
        try:
            with redirect_stderr(io.StringIO()):  # submitit passes sbatch's words on, which the refusal has too
                submitted = executor.map_array(Command(), commands, logs)
        except (FailedJobError, FailedSubmissionError) as error:
            got = str(error).strip().splitlines()[-1]
            raise InputError("--slurm", "be a partition that sbatch takes jobs for", got) from None
        found |= dict(zip(new, submitted, strict=True))
        files.write(record, json.dumps({name: job.job_id for name, job in found.items()}, indent=1) + "\n")
    return [found[name] for name in names]
