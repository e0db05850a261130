"""Runs that differ in the seed alone, trained in one process: a step of each in turn, images on the device once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vaelab.errors import InputError
from vaelab.machine import Device
from vaelab.runs.make import Interrupted, batches_of, going_on
from vaelab.runs.read import Images, read
from vaelab.screen import Lines
from vaelab.settings.text import override
from vaelab.training.device import find_device, interrupts

_SHOWN_EVERY = 20
"""Rounds between two looks at how far they are."""


def interleaved(
    folders: Sequence[Path],
    images: Images | None = None,
    device: Device | None = None,
    changes: Sequence[tuple[str, str]] = (),
    *,
    progress: bool,
    farewell: str,
) -> dict[Path, str]:
    """Goes on with the runs, a step of each in turn; each has the numbers that it has alone.

    On a GPU a step is asked for and not waited for, so that the steps stand in line there. On streams of their own they
    would run at the same time, but captured steps share the seed of the noise, which one would take from another.

    Args:
        folders: Of the runs.
        images: Where their images are, if they have moved since.
        device: Where to compute, if not where their experiment says.
        changes: (path, text) of settings of their length.
        progress: Show a line for each.
        farewell: What the message says after "Stopped" on Ctrl-C.

    Returns:
        Folder -> why it failed, of those that did; the others went on.

    Raises:
        KeyboardInterrupt: Ctrl-C; all have finished their step and saved.
    """
    first = read(folders[0], images)
    place = find_device(device or first.experiment.machine.device, "the device")
    batches = batches_of(first.experiment, first.dataset, place)
    training = override(first.experiment, changes).training if changes else None
    said, failed = dict.fromkeys(folders, "begins"), dict[Path, str]()
    with interrupts() as interrupted, Lines(shown=progress) as lines:
        how = {"device": device, "training": training, "batches": batches, "interrupted": interrupted}
        runs = [first, *(read(folder, first.dataset.collection) for folder in folders[1:])]
        going = {run.folder: going_on(run, progress=False, **how) for run in runs}
        turn = 0
        while going:
            for folder, steps in list(going.items()):
                try:
                    state = next(steps)
                except StopIteration:
                    said[folder] = "done"
                    del going[folder]
                except Interrupted:
                    del going[folder]
                except InputError as error:
                    said[folder], failed[folder] = "failed", str(error)
                    del going[folder]
                else:
                    said[folder] = f"step {state.step:,} of {state.num_steps:,}"
            if turn % _SHOWN_EVERY == 0 or not going:
                lines.show(f"{folder}: {words}" for folder, words in said.items())
            turn += 1
        if interrupted:
            raise KeyboardInterrupt(f"Stopped; {farewell}")
    return failed
