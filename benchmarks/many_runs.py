"""Many experiments, each with several seeds, trained side by side and read back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

from vaelab.experiment import Experiment, write
from vaelab.runs import Run, load


def train(named: dict[str, Experiment], seeds: Sequence[int], out: Path) -> dict[str, list[Run]]:
    """Every experiment with every seed, as many at a time as there are cores, one thread each; a run for each seed.

    Runs that stand in `out` already are not trained again, only resumed where they were interrupted.
    """
    out.mkdir(parents=True, exist_ok=True)
    jobs = [(name, seed) for seed in seeds for name in named]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        folders = list(pool.map(lambda job: _train(named[job[0]], job[1], out, job[0]), jobs))
    runs: dict[str, list[Run]] = {name: [] for name in named}
    for (name, _), folder in zip(jobs, folders, strict=True):
        runs[name].append(load(folder))
    return runs


def shown(values: Sequence[float]) -> str:
    """Their mean, with the standard deviation where there are several."""
    digits = 4 if max(map(abs, values)) < 0.1 else 2 if max(map(abs, values)) < 100 else 0
    spread = f" ±{stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{spread}"


def say(text: str) -> None:
    """Progress, beside the table."""
    print(f"  {text}", file=sys.stderr, flush=True)


def _train(experiment: Experiment, seed: int, out: Path, name: str) -> Path:
    folder = out / f"{name.replace(' ', '-')}-{seed}"
    if (folder / "experiment.json").exists():
        arguments = ["resume", str(folder), "--quiet"]
    else:
        file = out / f"{folder.name}.json"
        write(replace(experiment, seed=seed), file)
        arguments = ["train", str(file), "--out", str(folder), "--quiet"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "vaelab", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{folder.name} failed:\n{done.stderr[-2000:]}")
    say(f"{folder.name} is trained")
    return folder
