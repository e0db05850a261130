"""Studies on a cluster: Slurm's commands are small programs that start an array's jobs at once, on this machine."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from vaelab.cli import main
from vaelab.runs import load

STILL = {"training.num_steps": 40, "machine.tune": False, "watching.checkpoint_steps": 5, "watching.log_every": 5}
STAND_IN = """#!{python}
import os, re, subprocess, sys, time
from pathlib import Path
place, name, words = Path({place!r}), Path(sys.argv[0]).name, sys.argv[1:]

def start(script, job, task):
    task_of = {{"SLURM_ARRAY_JOB_ID": job, "SLURM_ARRAY_TASK_ID": task}} if task else {{}}
    env = {{**os.environ, **task_of, "SLURM_JOB_ID": job, "SLURM_NTASKS": "1", "SLURM_PROCID": "0",
           "SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_JOB_NUM_NODES": "1", "OMP_NUM_THREADS": "1"}}
    full = job + ("_" + task if task else "")
    process = subprocess.Popen(["bash", script], env=env, start_new_session=True,
                               stdout=(place / "out").open("ab"), stderr=subprocess.STDOUT)
    (place / ("job-" + full)).write_text(str(process.pid) + " " + script)

def pid_of(job):
    return int((place / ("job-" + job)).read_text().split()[0])

if name == "sbatch":
    text = Path(words[-1]).read_text()
    if "--partition=nowhere" in text:
        sys.exit("sbatch: error: invalid partition specified: nowhere")
    job = str(100 + len(list(place.glob("script-*"))))
    kept = place / ("script-" + job)
    kept.write_text(text)
    array = re.search(r"--array=0-([0-9]+)", text)
    for task in map(str, range(int(array[1]) + 1)) if array else [""]:
        start(str(kept), job, task)
    print("Submitted batch job", job)
elif name == "srun":
    command = words[[k for k, word in enumerate(words) if "python" in word][0]:]
    os.execv(command[0], command)
elif name == "scontrol":
    pid, script = (place / ("job-" + words[1])).read_text().split()
    job, _, task = words[1].partition("_")
    start(script, job, task)
elif name == "scancel":
    os.killpg(pid_of(words[0]), 15)
elif name == "sacct":
    print("JobID|State|NodeList")
    for job in (path.name[4:] for path in place.glob("job-*")):
        try:
            alive = Path(f"/proc/{{pid_of(job)}}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            alive = False
        print(job + "|" + ("RUNNING" if alive else "NODE_FAIL") + "|here")
"""


@pytest.fixture
def cluster(tmp_path, monkeypatch) -> Path:
    """A folder of which the stand-in for Slurm's commands keeps its jobs, with these on the path."""
    place, commands = tmp_path / "cluster", tmp_path / "commands"
    place.mkdir()
    commands.mkdir()
    for name in ("sbatch", "srun", "scontrol", "scancel", "sacct"):
        (commands / name).write_text(STAND_IN.format(python=sys.executable, place=str(place)))
        (commands / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(commands), prepend=os.pathsep)
    monkeypatch.setattr("vaelab.studies._slurm._ASK_S", 0.5)
    monkeypatch.chdir(tmp_path)
    return place


def write(path: Path, names: tuple[str, ...] = ("a", "b"), **settings) -> str:
    entries: list[dict] = [{"experiment": "digits", "name": name} for name in names]
    study = {"name": "s", "experiments": entries, "settings": {**STILL, **settings}}
    path.write_text(json.dumps(study))
    return str(path)


def jobs_of(cluster: Path) -> list[str]:
    return sorted(path.name for path in cluster.glob("job-*"))


@pytest.mark.slow
def test_runs_are_jobs_of_an_array_and_what_is_done_is_not_submitted_again(cluster, tmp_path, capsys):
    study = write(tmp_path / "s.json")
    command = ["study", study, "-o", "all", "--slurm", "gpu", "--hours", "0.5", "--jobs", "2", "--quiet"]
    assert main(command) == 0
    assert jobs_of(cluster) == ["job-100_0", "job-100_1"]
    script = (cluster / "script-100").read_text()
    assert "--partition=gpu" in script
    assert "--time=30" in script
    assert "--array=0-1%2" in script
    assert [load(tmp_path / "all" / name / "seed-0").metrics()["step"].max() for name in "ab"] == [40, 40]
    assert (tmp_path / "all" / "comparison.html").exists()
    assert main(command) == 0
    assert len(jobs_of(cluster)) == 2


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def signal_jobs(cluster: Path, number: int) -> None:
    """To the processes that submitit runs."""
    session = int((cluster / "job-100").read_text().split()[0])
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            ours = int((place / "stat").read_text().rsplit(")", 1)[1].split()[3]) == session
            if ours and b"submitit.core._submit" in (place / "cmdline").read_bytes().split(b"\0"):
                os.kill(int(place.name), number)


@pytest.mark.slow
def test_a_run_whose_time_is_up_goes_on_and_who_stopped_waiting_waits_again(cluster, tmp_path):
    study = write(tmp_path / "s.json", ("a",), **{"training.num_steps": 4000, "watching.checkpoint_steps": 500})
    command = [sys.executable, "-m", "vaelab", "study", study, "-o", "all", "--slurm", "gpu", "--quiet"]
    waiting = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until(Path("all/a/seed-0/metrics.csv").exists)
    first = (cluster / "job-100").read_text()
    signal_jobs(cluster, signal.SIGUSR2)
    until(lambda: (cluster / "job-100").read_text() != first)
    waiting.send_signal(signal.SIGINT)
    said = waiting.communicate(timeout=60)[1]
    assert waiting.returncode == 130
    assert said.startswith("Stopped waiting for 1 jobs, which go on: ")
    assert main(["study", study, "-o", "all", "--slurm", "gpu", "--quiet"]) == 0
    assert len(list(cluster.glob("script-*"))) == 1
    assert load(tmp_path / "all" / "a" / "seed-0").metrics()["step"].max() == 4000
    assert "Stopped after step" in (tmp_path / "all" / "a" / "seed-0.log").read_text()


@pytest.mark.slow
def test_a_job_that_slurm_ends_is_a_failure_with_its_state(cluster, tmp_path, capsys):
    study = write(tmp_path / "s.json", ("a",), **{"training.num_steps": 100000, "watching.checkpoint_steps": 500})

    def fail() -> None:
        until(Path("all/a/seed-0/metrics.csv").exists)
        os.killpg(int((cluster / "job-100").read_text().split()[0]), signal.SIGKILL)

    failing = threading.Thread(target=fail)
    failing.start()
    assert main(["study", study, "-o", "all", "--slurm", "gpu", "--quiet"]) == 1
    failing.join()
    assert "Failed: a/seed-0: Slurm's job 100 ended as NODE_FAIL" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("missing", "got"),
    [("PATH", "a machine without them"), ("submitit", "a Python without it"), ("partition", "invalid partition")],
)
def test_what_keeps_slurm_from_it_is_one_sentence(missing, got, cluster, tmp_path, monkeypatch, capsys):
    study = write(tmp_path / "s.json", ("a",))
    if missing == "PATH":
        monkeypatch.setenv("PATH", "/nowhere")
    if missing == "submitit":
        monkeypatch.setitem(sys.modules, "submitit", None)
    partition = "nowhere" if missing == "partition" else "gpu"
    assert main(["study", study, "-o", "all", "--slurm", partition, "--quiet"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert got in said
    assert jobs_of(cluster) == []
