"""`vaelab resume`: goes on with a run that was stopped, to the numbers of an uninterrupted one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from vaelab.cli._options import Argument, Flag, Quiet
from vaelab.machine import Device
from vaelab.settings.ranges import PathText

EXAMPLES = """\
example:
  vaelab resume runs/digits-1

A run that was stopped, by Ctrl-C, a crash or kill -9, goes on from its last whole checkpoint."""


@dataclass(frozen=True, kw_only=True)
class Options(Quiet):
    """Go on with a run that was stopped."""

    run: Annotated[PathText, Argument("RUN")]
    """The run's folder."""
    images: Annotated[PathText | None, Flag(metavar="PATH")] = None
    """Where the run's images are now, if they have moved."""
    device: Device | None = None
    """Where to compute; left out: where its experiment says."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.machine import keep_freed_memory

    keep_freed_memory()
    from vaelab.cli._notes import say_signs
    from vaelab.runs import resume

    done = resume(options.run, images=options.images, device=options.device, progress=not options.quiet)
    say_signs(done)
    if not options.quiet:
        print(f"Next: vaelab report {done.folder}")
    return 0
