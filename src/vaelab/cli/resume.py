"""`vaelab resume`: goes on with a run that was stopped, to the numbers of an uninterrupted one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from vaelab.cli._options import Argument, Changing, Flag, on_device
from vaelab.cli._ranks import in_ranks, is_first, together
from vaelab.cli._seeds import say_ended
from vaelab.errors import InputError
from vaelab.machine import Device
from vaelab.settings.ranges import PathText

EXAMPLES = """\
examples:
  vaelab resume runs/digits-1
  vaelab resume runs/digits-1 --training.num-epochs 200     train longer than was asked for at first
  vaelab resume runs/digits-2                               of several seeds: all that are not finished

A run that was stopped, by Ctrl-C, a crash or kill -9, goes on from its last whole checkpoint. One that came to its end
goes on if it is given more steps: training.num-epochs, training.num-steps or training.patience."""

TOGETHER = True


@dataclass(frozen=True, kw_only=True)
class Options(Changing):
    """Go on with a run that was stopped, or train one longer."""

    run: Annotated[PathText, Argument("RUN")] = ""
    """The run's folder, or that of the runs of several seeds."""
    images: Annotated[PathText | None, Flag(metavar="PATH")] = None
    """Where the run's images are now, if they have moved."""
    device: Device | None = None
    """Where to compute; left out: where its experiment says."""


def run(options: Options) -> int:
    """Does it."""
    if not options.run:
        raise InputError("vaelab resume", "be given a run's folder", "none", "See vaelab resume --help.")
    from vaelab.cli._notes import say_signs
    from vaelab.runs import is_finished, read, resume
    from vaelab.runs.seeds import seed_folders
    from vaelab.settings.text import override

    for path, _ in options.settings:
        if not path.startswith("training."):
            mend = "What may change is how long is trained, such as --training.num-epochs."
            raise InputError(f"--{path}", "stay as it was when a run goes on", "a change", mend)
    if folders := seed_folders(Path(options.run)):
        return _resume_seeds(folders, options)
    with together(), options.naming(), on_device():
        before = read(options.run)
        training = override(before.experiment, options.settings).training if options.settings else None
        finished = training in (None, before.experiment.training) and is_finished(before)
        shown = not (options.quiet or finished)
        done = resume(options.run, images=options.images, device=options.device, training=training, progress=shown)
    if not is_first():
        return 0
    say_signs(done)
    if not options.quiet:
        if finished:
            more = f"vaelab resume {done.folder} --training.num-epochs N"
            print(f"{done.folder} is finished. To train it longer: {more}")
        print(f"Next: vaelab report {done.folder}")
    return 0


def _resume_seeds(folders: list[Path], options: Options) -> int:
    from vaelab.runs import read
    from vaelab.runs.seeds import resume_seeds
    from vaelab.settings.text import override

    if in_ranks():
        raise InputError("RUN", "be one run under torchrun", f"a folder of {len(folders)}", "Name one of them.")
    more = {"images": options.images, "device": options.device, "changes": options.settings}
    with options.naming(), on_device():
        override(read(folders[0]).experiment, options.settings)
        ended = resume_seeds(folders, progress=not options.quiet, **more)
    return say_ended(ended, quiet=options.quiet)


def help_on(options: Options) -> str:
    """The settings of the training of the run that is named."""
    from vaelab.runs import read
    from vaelab.settings.help import settings_help

    return settings_help(read(options.run).experiment.training, "training") if options.run else ""
