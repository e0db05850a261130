"""vaelab's side of the comparisons: the command that a user types, on an experiment's file, and its run's record."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from vaelab.data.feed import Feed
from vaelab.experiment import Experiment, write
from vaelab.runs.read import build
from vaelab.training import Batches, choose_for

USUAL_STEPS = 10_000
"""Of a run that is worth choosing for."""


def timed(experiment: Experiment, num_steps: int) -> Experiment:
    """The experiment for so many steps, of which all but the first and the last tenth are timed, without validation."""
    log_every = max(1, num_steps // 10)
    steps = 10 * log_every
    training = replace(experiment.training, num_steps=steps, validate_every=steps, patience=None)
    return replace(experiment, training=training, watching=replace(experiment.watching, log_every=log_every))


def train(experiment: Experiment) -> dict[str, float]:
    """Trains it with ``vaelab train FILE --quiet`` and gives its speed and how it was computed.

    How it is computed is chosen as for a run of the usual length, once, and remembered.
    """
    _choose(replace(experiment, training=replace(experiment.training, num_steps=USUAL_STEPS)))
    with tempfile.TemporaryDirectory() as folder:
        file, run = Path(folder) / "experiment.json", Path(folder) / "run"
        write(experiment, file)
        vaelab("train", str(file), "--out", str(run), "--quiet")
        choices = json.loads((run / "environment.json").read_text())["choices"]
        return {
            "images_per_second": _speed(run / "metrics.csv", experiment.training.batch_size),
            "threads": choices["threads"],
            "bfloat16": float(choices["precision"] == "bfloat16"),
            "channels_last": float(choices["channels_last"]),
            "kernels": float(len(choices["kernels"])),
        }


def _choose(experiment: Experiment) -> None:
    dataset = experiment.prepare(progress=False)
    model = build(experiment, dataset.collection.image_shape, dataset.conditions)
    feed = Feed(dataset.collection.images, dataset.intensity, experiment.data.binarize)
    splits = dataset.splits
    batches = Batches(feed=feed, train=splits.train, validation=splits.validation)
    choose_for(model, experiment.objective, batches, experiment.training, experiment.machine, experiment.seed)


def vaelab(*arguments: str) -> None:
    """Runs the command ``vaelab`` in a process of its own.

    Raises:
        RuntimeError: It failed; holds what it said.
    """
    done = subprocess.run([sys.executable, "-m", "vaelab", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"vaelab {' '.join(arguments)} failed:\n{done.stderr[-4000:]}")


def _speed(metrics: Path, batch_size: int) -> float:
    """Images per second between the first line of the log and the last but one: listeners included, validation not."""
    with metrics.open(newline="") as file:
        lines = [(int(row["step"]), float(row["seconds"])) for row in csv.DictReader(file) if row["split"] == "train"]
    (first, begin), (last, end) = lines[0], lines[-2]
    return (last - first) * batch_size / (end - begin)
