"""A run made: an experiment trained in a new folder, and one that was interrupted gone on with."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from vaelab import experiment as record
from vaelab import files, ranks
from vaelab.data import Dataset
from vaelab.data.conditions import matching
from vaelab.data.feed import Feed
from vaelab.data.opening import anchored
from vaelab.data.order import measured_order
from vaelab.errors import InputError, unknown_name
from vaelab.experiment import Experiment
from vaelab.likelihoods import check_pixels
from vaelab.machine import Device
from vaelab.models import Model
from vaelab.presets import find
from vaelab.runs.claim import claimed, free_folder
from vaelab.runs.codes import CodeSnapshots
from vaelab.runs.folder import facts_of, read_environment, write_environment, write_facts
from vaelab.runs.read import Images, Run, RunImages, build, load, read
from vaelab.runs.snapshots import Snapshots
from vaelab.training import Batches, Choices, State, Training, begin, choose_for
from vaelab.training import train as steps_of
from vaelab.training.checkpoint import check_room, load_checkpoint, read_numbers
from vaelab.training.device import find_device, interrupts
from vaelab.training.listeners import Checkpoints, CSVLog, Listener, ProgressBar, TensorBoardLog

LENGTHS = ("num_steps", "num_epochs", "patience")
"""Settings of a training that may change when a run goes on."""


class Interrupted(KeyboardInterrupt):
    """Training was stopped by the user, or for a rank was lost; it is saved, and the message says how to go on."""


def train(
    experiment: Experiment | str,
    folder: Path | str | None = None,
    *,
    start: Model | None = None,
    dataset: Dataset | None = None,
    progress: bool = True,
    strict: bool = False,
) -> Run:
    """Trains an experiment in a new folder.

    Several ranks (`vaelab.ranks.joined`) train it together; the first of them alone writes.

    Args:
        experiment: What to train: an experiment, or the name of a preset or of an experiment's file.
        folder: Where; it must not hold a run yet. Default ``runs/<name>-<k>`` with the first free k.
        start: A trained model of the same setting, from whose weights training begins.
        dataset: The experiment's images, where they are prepared already.
        progress: Show progress bars.
        strict: Refuse the images when any file cannot be used.

    Raises:
        InputError: Something in the experiment, the images or the folder cannot be used.
        Interrupted: The user stopped it (Ctrl-C); it is saved and can be resumed.
    """
    experiment = find(experiment) if isinstance(experiment, str) else experiment
    progress = progress and ranks.number() == 0
    if folder is not None:
        ranks.first(lambda: refuse_run(Path(folder)))
    device = find_device(experiment.machine.device)
    dataset = dataset or experiment.prepare(strict=strict, progress=progress)
    experiment = findable(experiment)
    model, batches, choices, order = ready(experiment, dataset, device, progress=progress, start=start)
    with ExitStack() as stack:

        def begun() -> Path:
            place = free_folder(experiment.name) if folder is None else Path(folder)
            stack.enter_context(claimed(place))
            refuse_run(place)
            check_room(place, model)
            write_run(experiment, dataset, choices, device, place, order)
            return place

        place, facts = ranks.first(begun), facts_of(dataset)
        images = RunImages.of(dataset, experiment, facts, place)
        run = Run(folder=place, experiment=experiment, model=model, facts=facts, images=images)
        return finished(_steps(run, batches, choices, progress, started=start is not None))


def findable(experiment: Experiment) -> Experiment:
    """The experiment with the paths of its images made absolute: they are found from any folder."""
    return replace(experiment, data=replace(experiment.data, source=anchored(experiment.data.source)))


def ready(
    experiment: Experiment, dataset: Dataset, device: torch.device, *, progress: bool, start: Model | None = None
) -> tuple[Model, Batches, Choices, str]:
    """The model to train, its images, how it is computed, and why the images come in their order, if that was measured.

    Raises:
        InputError: The images do not suit the experiment.
    """
    model = build(experiment, dataset.collection.image_shape, dataset.conditions).to(device)
    if start is not None:
        model.load_state_dict(start.state_dict())
    batches = batches_of(experiment, dataset, device)
    check_pixels(model.likelihood, batches.feed(batches.train[:256]))
    training, machine = experiment.training, experiment.machine
    say = (lambda line: print(line, file=sys.stderr)) if progress else None
    choices = choose_for(model, experiment.objective, batches, training, machine, experiment.seed, say)
    pixels, timed = dataset.collection.images, training.order == "auto"
    order, why = ranks.first(lambda: measured_order(pixels, batches.train)) if timed else (choices.order, "")
    if say and why:
        say(why)
    return model, batches, replace(choices, order=order), why


def write_run(
    experiment: Experiment, dataset: Dataset, choices: Choices, device: torch.device, folder: Path, order: str
) -> None:
    """The files with which a run begins; last the experiment, which makes the folder one."""
    (folder / "checkpoints").mkdir(exist_ok=True)
    splits = dataset.splits
    with files.replacing(folder / "splits.npz") as part:
        np.savez(part, train=splits.train, validation=splits.validation, test=splits.test)
    write_facts(facts_of(dataset), folder / "data.json")
    write_environment(choices, device, folder / "environment.json", order)
    record.write(experiment, folder / "experiment.json")


def resume(
    folder: Path | str,
    *,
    images: Images | None = None,
    device: Device | None = None,
    training: Training | None = None,
    progress: bool = True,
) -> Run:
    """Goes on with a run that was interrupted, from its last checkpoint; a finished one is only read.

    On the same CPU the result equals that of an uninterrupted run bit for bit.

    Args:
        folder: The run's.
        images: Where its images are, if they have moved since.
        device: Where to compute, if not where its experiment says.
        training: With another length (num_steps, num_epochs or patience): train longer, or stop sooner.
        progress: Show a progress bar.

    Raises:
        InputError: The folder is not a run, its images are not the same any more, another process trains it, or more
            than the length is to change.
    """
    return finished(going_on(read(Path(folder), images), device=device, training=training, progress=progress))


def going_on(
    run: Run,
    *,
    device: Device | None = None,
    training: Training | None = None,
    progress: bool = True,
    batches: Batches | None = None,
    interrupted: Sequence[int] | None = None,
) -> Generator[State, None, Run]:
    """The steps of `resume`, one after another; it returns the run as it is then.

    Args:
        run: As read from its folder.
        device: See resume.
        training: See resume.
        progress: See resume.
        batches: Its images, where they are on the device already.
        interrupted: Becomes not empty when the training is to stop; None: by Ctrl-C.
    """
    progress = progress and ranks.number() == 0
    with ExitStack() as stack:
        longer = training is not None and training != run.experiment.training
        ranks.first(lambda: stack.enter_context(claimed(run.folder)))
        if training is not None and longer:
            _check_length_alone(run.experiment.training, training)
            run = replace(run, experiment=replace(run.experiment, training=training))
            ranks.first(lambda: record.write(run.experiment, run.folder / "experiment.json"))
        place = find_device(device, "the device") if device else find_device(run.experiment.machine.device)
        run.model.to(place)
        choices = read_environment(run.folder / "environment.json")
        if not choices.suits(run.model):
            should, got = "name layers and kernels of the run's model", "others"
            raise InputError(f"choices.kernels in {run.folder / 'environment.json'}", should, got, "Train anew.")
        batches = batches or batches_of(run.experiment, run.dataset, place)
        return (yield from _steps(run, batches, choices, progress, longer=longer, interrupted=interrupted))


def finished(steps: Generator[State, None, Run]) -> Run:
    """The run, when all its steps are taken."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def is_finished(run: Run) -> bool:
    """Whether training came to its end, by steps or by patience."""
    last = run.folder / "checkpoints" / "last.safetensors"
    if not last.exists():
        return False
    numbers = read_numbers(last)
    return bool(numbers["stop"]) or numbers["step"] >= run.experiment.training.total_steps(len(run.splits.train))


def _check_length_alone(before: Training, after: Training) -> None:
    """Refuses a change of anything but how long is trained."""
    if after.num_steps and after.num_epochs != before.num_epochs:
        mend = "The run's length is training.num_steps."
        raise InputError("training.num_epochs", f"stay {before.num_epochs:g}", f"{after.num_epochs:g}", mend)
    for field in fields(after):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old != new and field.name not in LENGTHS:
            mend = f"What may change is {', '.join(f'training.{name}' for name in LENGTHS)}. For the rest, train anew."
            raise InputError(f"training.{field.name}", f"stay {old} when a run goes on", new, mend)


def refuse_run(folder: Path) -> None:
    """Refuses a folder that holds a run already."""
    if (folder / "experiment.json").exists():
        mend = f"Choose another, or: vaelab resume {folder}"
        raise InputError(str(folder), "be a new folder", "one that holds a run", mend)


def _steps(
    run: Run,
    batches: Batches,
    choices: Choices,
    progress: bool,
    *,
    started: bool = False,
    longer: bool = False,
    interrupted: Sequence[int] | None = None,
) -> Generator[State, None, Run]:
    """Trains from the last checkpoint, or from the beginning, to the end, step by step; returns the run as it is then.

    Args:
        run: The run.
        batches: Its images.
        choices: How it is computed.
        progress: Show a progress bar.
        started: From weights that are there.
        longer: Beyond where it was to end before.
        interrupted: Becomes not empty when it is to stop; None: by Ctrl-C.
    """
    experiment = run.experiment
    state = begin(run.model, experiment.objective, batches, experiment.training, experiment.seed)
    checkpoints = Checkpoints(run.folder / "checkpoints", experiment.watching)
    last = run.folder / "checkpoints" / "last.safetensors"
    if last.exists():
        load_checkpoint(state, last)
        state.stop = "" if longer else state.stop
    elif started:
        state.prior_started = True
        checkpoints.save(state)
    with ExitStack() as stack:
        interrupted = stack.enter_context(interrupts()) if interrupted is None else interrupted
        at_once = min(experiment.training.batch_size, len(batches.train))
        listeners: list[Listener] = []
        if ranks.number() == 0:
            listeners = _listeners(run, batches, checkpoints, at_once, state.step)
        if progress:
            listeners.append(stack.enter_context(ProgressBar(at_once, state.step)))
        log_every, seed = experiment.watching.log_every, experiment.seed
        try:
            say = (lambda line: print(line, file=sys.stderr)) if progress else None
            for _ in steps_of(state, batches, experiment.training, choices, seed, log_every, say):
                with ranks.alone():
                    for listener in listeners:
                        listener(state)
                if ranks.any_of(bool(interrupted)):
                    ranks.first(lambda: checkpoints.save(state))
                    raise _interrupted(run, state, "saved")
                yield state
        except ranks.RankLost:
            _rescue(run, state, checkpoints)
            raise _interrupted(run, state, "another rank is gone") from None
    if ranks.number() > 0:
        return run
    done = load(run.folder)
    done.images.__dict__.update(run.images.__dict__)
    return done


def _interrupted(run: Run, state: State, why: str) -> Interrupted:
    done = f"Stopped after step {state.step:,} of {state.num_steps:,}; {why}."
    return Interrupted(f"{done} Go on with: vaelab resume {run.folder}")


def _rescue(run: Run, state: State, checkpoints: Checkpoints) -> None:
    """Saves a training of which a rank is lost: by the first, or by one of the others if that is the one."""
    if ranks.number() == 0:
        return checkpoints.save(state)
    last = checkpoints.folder / "last.safetensors"
    with suppress(InputError):
        if checkpoints.folder.exists():
            with claimed(run.folder):  # refused while the first lives
                if not last.exists() or read_numbers(last)["step"] < state.step - 1:
                    checkpoints.save(state)
    return None


def _listeners(run: Run, batches: Batches, checkpoints: Checkpoints, at_once: int, step: int) -> list[Listener]:
    watching = run.experiment.watching
    listeners: list[Listener] = [CSVLog(run.folder / "metrics.csv", at_once, step), checkpoints]
    if watching.tensorboard:
        listeners.append(TensorBoardLog(run.folder / "events", step))
    if watching.snapshot_every:
        listeners.append(Snapshots(run.folder / "snapshots", batches, run.channels, watching.snapshot_every))
    if watching.codes_every:
        listeners.append(CodeSnapshots(run.folder / "codes", batches, run.parts["held_out"], watching.codes_every))
    return listeners


def batches_of(experiment: Experiment, dataset: Dataset, device: torch.device) -> Batches:
    """The images that an experiment trains on, on a device.

    Raises:
        InputError: A column that it names cannot be used.
    """
    training, splits, table = experiment.training, dataset.splits, dataset.collection.table
    column, later = training.weight_column, None
    if training.later:
        later = np.flatnonzero(matching(table, training.later, "training.later"))
        if not 0 < np.isin(splits.train, later).sum() < len(splits.train):
            got = "none" if not np.isin(splits.train, later).any() else "all of them"
            raise InputError("training.later", "be some of the training images", got)
        if (training.later_step or 0) >= (length := training.total_steps(len(splits.train))):
            should, got = f"be below the {length:,} steps of the training", training.later_step
            raise InputError("training.later_step", should, got, "none: they never come.")
    return Batches(
        feed=Feed(dataset.collection.images, dataset.intensity, experiment.data.binarize, device),
        train=splits.train,
        validation=splits.validation,
        weights=None if column is None else _weights(table, column),
        conditions=dataset.condition_numbers(),
        later=later,
        later_step=training.later_step,
    )


def _weights(table: pd.DataFrame, column: str) -> np.ndarray:
    what = "training.weight_column"
    if column not in table:
        raise unknown_name(what, column, map(str, table.columns))
    values = np.asarray(pd.to_numeric(table[column], errors="coerce"), dtype=np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all() and values.sum() > 0):
        raise InputError(what, "hold numbers of 0 or more, not all 0", f"others in column {column!r}")
    return values
