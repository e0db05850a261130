"""`vaelab guide`: a finished run trained on toward places that a person chose for a few images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from vaelab.cli._options import Argument, Flag, OnStage
from vaelab.settings.ranges import AtLeast1, PathText, Positive

EXAMPLES = """\
the CSV: image,z0,z1[,delta], a line for each chosen image; image is a row number of the run's images or, where they
come from files, the path in their table; z0, z1, ... is where it is to lie (as `vaelab embed` writes them).

examples:
  vaelab guide runs/digits-1 anchors.csv
  vaelab guide runs/digits-1 anchors.csv --weight 10 --steps 1000 --out runs/mine"""


@dataclass(frozen=True, kw_only=True)
class Options(OnStage):
    """Move chosen images of a run to chosen places, in a new run."""

    anchors: Annotated[PathText, Argument("ANCHORS.csv")]
    """Which images are to lie where."""
    out: Annotated[PathText | None, Flag(metavar="RUN")] = None
    """The new run's folder; left out: runs/NAME-guided-1, or the first that is free."""
    weight: Positive = 1.0
    """Of the guidance beside the objective."""
    steps: AtLeast1 = 500
    """Optimiser steps."""
    learning_rate: Positive = 1e-4
    """Adam's step size."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.cli._notes import say
    from vaelab.data.tables import read_table
    from vaelab.runs.guide import guide, read_anchors

    trained, anchors = options.load(), read_table(options.anchors, "ANCHORS.csv")
    for note in anchors.notes:
        say(note)
    guidance = read_anchors(anchors, trained.at_stage(options.stage), options.weight)
    done = guide(
        trained,
        guidance,
        options.out,
        stage=options.stage,
        num_steps=options.steps,
        learning_rate=options.learning_rate,
        progress=not options.quiet,
    )
    if not options.quiet:
        print(done.anchors.to_string(index=False, float_format="%.3f"))
        others = done.moves.loc[~done.moves.is_anchor, "moved"]
        print(f"The other {len(others):,} images moved {others.median():.3f} (median), {others.max():.3f} (most).")
        print(f"Every image's move: {done.run.folder / 'moves.csv'}")
        print(f"Next: vaelab report {done.run.folder}")
    return 0
