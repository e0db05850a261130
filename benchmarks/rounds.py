"""Contestants measured in turn, A B A B, each in a process of its own, with a watch on what else the machine does."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vaelab.machine import busy_seconds

ROOT = Path(__file__).resolve().parents[1]
QUIET = 0.05
"""Share of the machine's processor time that others may take while a round is still called quiet."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one contestant printed in one round."""

    values: dict[str, float]
    """The numbers of its last line."""
    disturbed: float
    """Share of the machine's processor time that went to other processes meanwhile."""


def measure(module: str, arguments: Sequence[str]) -> Measured:
    """Runs ``python -m module arguments`` and reads the JSON object on its last line.

    Raises:
        RuntimeError: It failed; holds what it said.
    """
    own, busy, start = _own_seconds(), busy_seconds(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    wall = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"python -m {module} {' '.join(arguments)} failed:\n{done.stderr[-4000:]}")
    others = (busy_seconds() - busy) - (_own_seconds() - own)
    values = json.loads(done.stdout.strip().splitlines()[-1])
    return Measured(values=values, disturbed=max(0.0, others) / (wall * (os.cpu_count() or 1)))


def alternate(module: str, contestants: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[Measured]]:
    """Every contestant once a round, for so many rounds."""
    results: dict[str, list[Measured]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name, arguments in contestants.items():
            result = measure(module, arguments)
            results[name].append(result)
            numbers = ", ".join(f"{key} {value:,.4g}" for key, value in result.values.items())
            print(
                f"  round {number + 1} {name}: {numbers} (others {result.disturbed:.0%})", file=sys.stderr, flush=True
            )
    return results


def quiet_rounds(results: Mapping[str, list[Measured]]) -> list[int]:
    """The rounds in which nothing else disturbed any contestant; all rounds where fewer than two were quiet."""
    total = min(map(len, results.values()))
    quiet = [i for i in range(total) if all(measured[i].disturbed < QUIET for measured in results.values())]
    return quiet if len(quiet) >= 2 else list(range(total))


def medians(results: Mapping[str, list[Measured]], key: str) -> dict[str, float]:
    """Each contestant's median of one number over the quiet rounds."""
    quiet = quiet_rounds(results)
    return {name: statistics.median(measured[i].values[key] for i in quiet) for name, measured in results.items()}


def _own_seconds() -> float:
    """Processor time of the processes that were started here and have ended, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
