"""Every command killed (kill -9) at random moments, done again, and compared with one that was left in peace.

pytest -m slow tests/run/test_kills.py     # half an hour; VAELAB_KILLS=20 for fewer than 200 kills
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from vaelab.runs.claim import LOCK

KILLS = int(os.environ.get("VAELAB_KILLS", "200"))
SEED = int(os.environ.get("VAELAB_FUZZ_SEED", "0"))
FLAGS = [
    "--training.num-steps", "120", "--watching.checkpoint-steps", "5", "--training.validate-every", "10",
    "--watching.log-every", "9", "--machine.threads", "1", "--machine.tune", "false", "--model.latent-dim", "2",
    "--quiet",
]  # fmt: skip
MEASURE = ["--num-images", "30", "--num-samples", "2", "--quiet"]


@dataclass(frozen=True)
class Job:
    """Something that is done with a folder of its own."""

    share: float
    """Of all kills."""
    again: Callable[[Path], list[list[str]]]
    """The commands that bring it to its end from wherever it is; the first is the one that is killed."""
    begin: Callable[[Path, Path], object] = lambda run, place: place.mkdir()
    """Prepares the folder, given a run that was left in peace."""


def train(place: Path, seed: int = 0) -> list[list[str]]:
    """Goes on where there is a run already, else begins anew."""
    if (place / "experiment.json").exists():
        return [["resume", str(place), "--quiet"]]
    return [["train", "digits", "--seed", str(seed), "--out", str(place), *FLAGS]]


def seeds(place: Path) -> list[list[str]]:
    """The runs that are there go on, the others begin."""
    new = [str(seed) for seed in (0, 1) if not (place / f"seed-{seed}" / "experiment.json").exists()]
    begun = [train(place / f"seed-{seed}")[0] for seed in (0, 1) if str(seed) not in new]
    return ([["train", "digits", "--seeds", *new, "--out", str(place), *FLAGS]] if new else []) + begun


def copied(run: Path, place: Path) -> None:
    shutil.copytree(run, place)


def study(place: Path) -> list[list[str]]:
    """The same command, wherever it is; two experiments, each with two seeds."""
    file = place.parent / "study.json"
    settings = {flag.removeprefix("--"): value for flag, value in zip(FLAGS[::2], FLAGS[1::2], strict=False)}
    entries = ["digits", {"experiment": "digits", "name": "wide", "settings": {"model.encoder.hidden": [300]}}]
    file.write_text(json.dumps({"experiments": entries, "settings": settings, "seeds": [0, 1]}))
    return [["study", str(file), "-o", str(place), "--quiet"]]


JOBS = {
    "train, resume": Job(0.3, train),
    "train --seeds": Job(0.1, seeds),
    "study": Job(0.1, study),
    "evaluate": Job(0.15, lambda place: [["evaluate", str(place), *MEASURE]], copied),
    "report": Job(0.1, lambda place: [["report", str(place), *MEASURE]], copied),
    "embed": Job(0.15, lambda place: [["embed", str(place), "-o", str(place / "codes.csv"), "--quiet"]], copied),
    "data synthesize": Job(
        0.1,
        lambda place: [["data", "synthesize", "cells-synthetic", "-o", f"{place}/cells.npz", "--num-images", "400"]],
    ),
    "data pack": Job(
        0.1,
        lambda place: [
            ["data", "pack", "sprites", "-o", str(place), "--num-images", "2000", "--shard-size", "1", "--quiet"]
        ],
    ),
}


def started(command: list[str], folder: Path) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "VAELAB_CACHE": str(folder / "cache")}
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "env": environment}
    return subprocess.Popen([sys.executable, "-m", "vaelab", *command], **how)


def finished(commands: list[list[str]], folder: Path) -> None:
    for command in commands:
        process = started(command, folder)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, (command, said)


def children(process: subprocess.Popen) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    except OSError:
        return []


def killed(command: list[str], folder: Path, after: float, chance: random.Random) -> str:
    """Kills the command so many seconds after its start; in half of the cases those that it has started, too.

    Those that are left come to their end before anything else is done.
    """
    process = started(command, folder)
    time.sleep(after)
    theirs, ended = children(process), process.poll() is not None
    process.kill()
    for child in theirs if chance.random() < 0.5 else []:
        os.kill(child, 9)
    process.communicate()
    end = time.monotonic() + 120
    while any(Path(f"/proc/{child}").exists() for child in theirs):
        assert time.monotonic() < end
        time.sleep(0.05)
    return "after its end" if ended else "before its end"


def outcome(place: Path) -> dict[str, object]:
    """What every file of a folder holds, as far as it does not tell of time; a dead owner's lock says nothing."""
    found: dict[str, object] = {}
    for path in sorted(path for path in place.rglob("*") if path.is_file() and path.name != LOCK):
        name = str(path.relative_to(place))
        if path.name == "metrics.csv":
            found[name] = pd.read_csv(path).drop(columns=["images_per_second", "seconds"]).to_csv()
        elif path.suffix == ".log":
            found[name] = "what a process said"
        elif path.name in ("environment.json", "report.html"):
            found[name] = path.stat().st_size > 100
        else:
            found[name] = path.read_bytes()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", JOBS)
def test_what_was_killed_and_done_again_equals_what_was_left_in_peace(name, tmp_path):
    job, chance, counts = JOBS[name], random.Random(f"{SEED} {name}"), Counter()
    run = tmp_path / "run"
    finished(train(run), tmp_path)
    if name == "report":
        finished(JOBS["evaluate"].again(run), tmp_path)
    job.begin(run, tmp_path / "peaceful")
    begun = time.monotonic()
    finished(job.again(tmp_path / "peaceful"), tmp_path)
    seconds, right = time.monotonic() - begun, outcome(tmp_path / "peaceful")
    left, number = max(1, round(KILLS * job.share)), 0
    while left > 0:
        place, number = tmp_path / f"killed-{number}", number + 1
        job.begin(run, place)
        for _ in range(min(left, chance.randint(1, 3))):
            commands = job.again(place)
            counts[commands[0][0], killed(commands[0], tmp_path, chance.uniform(0, seconds), chance)] += 1
            left -= 1
        finished(job.again(place), tmp_path)
        found = outcome(place)
        assert found.keys() == right.keys(), number
        assert not [file for file in right if found[file] != right[file]], number
        shutil.rmtree(place)
    took = time.monotonic() - begun
    print(f"{name}: {sum(counts.values())} kills in {took:.0f} s", *counts.items(), sep="\n  ")
