"""A run: the folder in which an experiment was carried out, from which all else is read back.

experiment.json   what was asked for          metrics.csv      the terms as training went
data.json         what the images were        checkpoints/     last (to resume) and best (to use)
splits.npz        which rows were held out    snapshots/       pictures while training, where asked for
environment.json  where it ran, and how       events/          TensorBoard, where asked for
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch

from vaelab import experiment as record
from vaelab.data import Dataset, Intensity, Splits, prepare
from vaelab.data.conditions import Condition, encode_conditions
from vaelab.data.dataset import content_hash
from vaelab.data.feed import Feed
from vaelab.errors import InputError
from vaelab.experiment import Experiment
from vaelab.folder import DataFacts, facts_of, read_environment, read_facts, write_environment, write_facts
from vaelab.likelihoods import check_pixels
from vaelab.models import Model, TwoStage
from vaelab.snapshots import Snapshots
from vaelab.training import Batches, Choices, Training, begin, choose
from vaelab.training import train as steps_of
from vaelab.training.checkpoint import check_room, load_checkpoint, load_weights
from vaelab.training.choices import plain
from vaelab.training.listeners import Checkpoints, CSVLog, Listener, ProgressBar, TensorBoardLog
from vaelab.training.loop import seed_noise

Stage = Literal["first", "second"]
"""Of a two-stage model."""


class Interrupted(KeyboardInterrupt):
    """Training was stopped by the user; the run is saved, and the message says how to go on."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """A trained experiment."""

    folder: Path
    """Where everything about it lies."""
    experiment: Experiment
    """What was asked for."""
    model: Model
    """With the best weights by validation, else the last; on the CPU, ready for inference."""
    facts: DataFacts
    """What the images were like."""

    @property
    def intensity(self) -> Intensity:
        """The scaling from stored pixels to [0, 1]."""
        return self.facts.intensity

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels' names."""
        return self.facts.channels

    def given(self, rows: np.ndarray) -> Model:
        """The model for the run's images of these rows: under their conditions, if it takes any."""
        return self.given_table(self.dataset.collection.table.iloc[rows]) if self.facts.conditions else self.model

    def given_table(self, table: pd.DataFrame) -> Model:
        """The model for other images, under what their table says of them.

        Raises:
            InputError: A column is missing, or holds what no training image had.
        """
        if not self.facts.conditions:
            return self.model
        return self.model.given(torch.from_numpy(encode_conditions(self.facts.conditions, table)))

    def under(self, values: Mapping[str, object], num_images: int = 1) -> Model:
        """The model for images that all have the same condition, by column.

        Raises:
            InputError: A column is missing, or its value is not one that the model was trained with.

        ``run.under({"drug": "taxol"})``
        """
        return self.given_table(pd.DataFrame({name: [value] * num_images for name, value in values.items()}))

    def at_stage(self, stage: Stage) -> Run:
        """The run with one stage of its two-stage model as the model.

        Raises:
            InputError: The model has one stage only.
        """
        if not isinstance(self.model, TwoStage):
            raise InputError("the stage", "be left out for a model of one stage", stage)
        return replace(self, model=self.model.first if stage == "first" else self.model.second)

    @cached_property
    def splits(self) -> Splits:
        """Rows of the collection for training, validation and test."""
        with np.load(self.folder / "splits.npz", allow_pickle=False) as rows:
            return Splits(train=rows["train"], validation=rows["validation"], test=rows["test"])

    @cached_property
    def dataset(self) -> Dataset:
        """The images, loaded again from where they came.

        Raises:
            InputError: They are not there any more, or not the same.
        """
        dataset = prepare(self.experiment.data)
        found = content_hash(dataset.collection)
        if found != self.facts.content_hash:
            mend = "Put the images back as they were, or train anew."
            raise InputError("the images", f"be those of the run ({self.facts.content_hash[:12]})", found[:12], mend)
        return replace(dataset, splits=self.splits, intensity=self.intensity, conditions=self.facts.conditions)

    @property
    def feed(self) -> Feed:
        """The run's images as its model takes them."""
        return _feed(self.experiment, self.dataset, "cpu")

    def metrics(self) -> pd.DataFrame:
        """metrics.csv: the terms as training went, in nats per image."""
        return pd.read_csv(self.folder / "metrics.csv")


def train(
    experiment: Experiment,
    folder: Path | str | None = None,
    *,
    start: Model | None = None,
    progress: bool = True,
    strict: bool = False,
) -> Run:
    """Trains an experiment in a new folder.

    Args:
        experiment: What to train.
        folder: Where; it must not hold a run yet. Default ``runs/<name>-<k>`` with the first free k.
        start: A trained model of the same setting, from whose weights training begins.
        progress: Show progress bars.
        strict: Refuse the images when any file cannot be used.

    Raises:
        InputError: Something in the experiment, the images or the folder cannot be used.
        Interrupted: The user stopped it (Ctrl-C); it is saved and can be resumed.
    """
    folder = Path(folder) if folder else free_folder(experiment.name)
    if (folder / "experiment.json").exists():
        raise InputError(
            str(folder), "be a new folder", "one that holds a run", f"Choose another, or: vaelab resume {folder}"
        )
    dataset = prepare(experiment.data, strict=strict, progress=progress)
    device = _device(experiment.training)
    model = _build(experiment, dataset.collection.image_shape, dataset.conditions).to(device)
    if start is not None:
        model.load_state_dict(start.state_dict())
    batches = _batches(experiment, dataset, device)
    check_pixels(model.likelihood, batches.feed(batches.train[:256]))
    choices = _choose(experiment, model, batches)
    check_room(folder, model)
    (folder / "checkpoints").mkdir(exist_ok=True)
    splits = dataset.splits
    np.savez(folder / "splits.npz", train=splits.train, validation=splits.validation, test=splits.test)
    facts = facts_of(dataset)
    write_facts(facts, folder / "data.json")
    write_environment(choices, device, folder / "environment.json")
    record.write(experiment, folder / "experiment.json")
    run = Run(folder=folder, experiment=experiment, model=model, facts=facts)
    return _go(run, batches, choices, progress, started=start is not None)


def resume(folder: Path | str, *, progress: bool = True) -> Run:
    """Goes on with a run that was interrupted, from its last checkpoint; a finished one is only read.

    On the same CPU the result equals that of an uninterrupted run bit for bit.

    Raises:
        InputError: The folder is not a run, or its images are not the same any more.
    """
    run = _read(Path(folder))
    device = _device(run.experiment.training)
    run.model.to(device)
    choices = read_environment(run.folder / "environment.json")
    return _go(run, _batches(run.experiment, run.dataset, device), choices, progress)


def load(folder: Path | str) -> Run:
    """Reads a run back. Nothing that is read can run code.

    Raises:
        InputError: The folder is not a run, or holds no checkpoint yet.
    """
    run = _read(Path(folder))
    for name in ("best", "last"):
        path = run.folder / "checkpoints" / f"{name}.safetensors"
        if path.exists():
            load_weights(run.model, path)
            run.model.eval()
            return run
    raise InputError(str(folder), "hold a checkpoint", "none", f"Go on with: vaelab resume {folder}")


def free_folder(name: str) -> Path:
    """``runs/<name>-<k>`` with the first k that is not taken."""
    return next(path for k in count(1) if not (path := Path("runs") / f"{name}-{k}").exists())


def _go(run: Run, batches: Batches, choices: Choices, progress: bool, *, started: bool = False) -> Run:
    """Trains from the last checkpoint, or from the beginning, to the end; `started`: from weights that are there."""
    training = run.experiment.training
    state = begin(run.model, run.experiment.objective, batches, training, run.experiment.seed)
    checkpoints = Checkpoints(run.folder / "checkpoints", training)
    last = run.folder / "checkpoints" / "last.safetensors"
    if last.exists():
        load_checkpoint(state, last)
    elif started:
        state.prior_started = True
        checkpoints.save(state)
    with ExitStack() as stack:
        interrupted = stack.enter_context(_interrupts())
        listeners = _listeners(run, batches, checkpoints, state.step)
        if progress:
            listeners.append(stack.enter_context(ProgressBar(training.batch_size, state.step)))
        for _ in steps_of(state, run.experiment.objective, batches, training, choices, run.experiment.seed):
            for listener in listeners:
                listener(state)
            if interrupted:
                checkpoints.save(state)
                raise Interrupted(
                    f"Stopped after step {state.step:,} of {state.num_steps:,}; saved. "
                    f"Go on with: vaelab resume {run.folder}"
                )
    return load(run.folder)


def _listeners(run: Run, batches: Batches, checkpoints: Checkpoints, step: int) -> list[Listener]:
    training = run.experiment.training
    listeners: list[Listener] = [CSVLog(run.folder / "metrics.csv", training.batch_size, step), checkpoints]
    if training.tensorboard:
        listeners.append(TensorBoardLog(run.folder / "events"))
    if training.snapshot_every:
        listeners.append(Snapshots(run.folder / "snapshots", batches, run.channels, training.snapshot_every))
    return listeners


def _read(folder: Path) -> Run:
    if not (folder / "experiment.json").exists():
        mend = "Runs lie in runs/, unless --out said otherwise."
        raise InputError(str(folder), "be the folder of a run", "a folder without experiment.json", mend)
    experiment = record.read(folder / "experiment.json")
    facts = read_facts(folder / "data.json")
    return Run(
        folder=folder, experiment=experiment, model=_build(experiment, facts.image_shape, facts.conditions), facts=facts
    )


def _build(experiment: Experiment, image_shape: tuple[int, int, int], conditions: tuple[Condition, ...]) -> Model:
    seed_noise(experiment.seed, -2)
    return experiment.model.build(image_shape, sum(len(condition.names) for condition in conditions))


def _feed(experiment: Experiment, dataset: Dataset, device: str | torch.device) -> Feed:
    return Feed(dataset.collection.images, dataset.intensity, experiment.data.binarize, device)


def _batches(experiment: Experiment, dataset: Dataset, device: torch.device) -> Batches:
    column, weights = experiment.training.weight_column, None
    if column is not None:
        weights = _weights(dataset.collection.table, column)
    splits = dataset.splits
    return Batches(
        feed=_feed(experiment, dataset, device),
        train=splits.train,
        validation=splits.validation,
        weights=weights,
        conditions=dataset.condition_numbers(),
    )


def _weights(table: pd.DataFrame, column: str) -> np.ndarray:
    what = "training.weight_column"
    if column not in table:
        raise InputError(
            what, "be a column of the table", repr(column), f"Known: {', '.join(map(str, table.columns))}."
        )
    values = np.asarray(pd.to_numeric(table[column], errors="coerce"), dtype=np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all() and values.sum() > 0):
        raise InputError(what, "hold numbers of 0 or more, not all 0", f"others in column {column!r}")
    return values


def _choose(experiment: Experiment, model: Model, batches: Batches) -> Choices:
    """By timing on the CPU; on a GPU the ways are known to be the faster ones. One step is tried in any case."""
    training, objective = experiment.training, experiment.objective
    rows = batches.train[: training.batch_size]
    x, companions = batches.feed(rows), begin(model, objective, batches, training, experiment.seed).companions

    def step(model: Model) -> None:
        model.zero_grad(set_to_none=True)
        objective(batches.given(model, rows), x, 0, companions)["loss"].mean().backward()

    if x.device.type == "cuda":
        precision = "float32" if training.precision == "float32" else "bfloat16"
        return Choices(threads=torch.get_num_threads(), precision=precision, channels_last=True)
    if not training.tune:
        return plain(training.threads, training.precision)
    return choose(model, step, batch_size=len(x), threads=training.threads, precision=training.precision)


def _device(training: Training) -> torch.device:
    if training.device == "cuda" and not torch.cuda.is_available():
        raise InputError("training.device", "be one that is there", "cuda", "Take cpu or auto.")
    cuda = torch.cuda.is_available() and training.device != "cpu"
    return torch.device("cuda" if cuda else "cpu")


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """A list that stays empty until Ctrl-C (or a polite kill) asks to stop; a second Ctrl-C stops at once."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def ask(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        print("\nFinishing the step and saving ...", file=sys.stderr)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
