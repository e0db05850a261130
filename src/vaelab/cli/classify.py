"""`vaelab classify`: a classifier of a run's images, by a column of their table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from vaelab.cli._options import Flag, OnRun, naming
from vaelab.settings.ranges import Seed

EXAMPLES = """\
examples:
  vaelab classify runs/digits-1 --label label
  vaelab classify runs/cells-1 --label moa --group plate          no plate on both sides
  vaelab classify runs/cells-1 --label concentration:number       a number, by squared error

A small convolutional network learns the column from the run's training images, is calibrated with its validation images
(one temperature, by which it is as sure as it is right), and judged by its test images. A column of numbers, more than
20 different ones, is predicted as a number, any other told as 2 to 100 classes; COLUMN:number and COLUMN:category say
it. Images without a value are left out. With --group, training images whose group is in held-out images, too, are left
out; to have enough of them, train the run with --data.split.group.

In RUN/classifiers lie NAME.safetensors (the classifier: weights, and what it tells in the header; no code runs to read
it), NAME.html (accuracy, calibration, confusion), NAME.csv (the same numbers) and NAME.images.csv (what it says of each
image). NAME is the column, with the group and the seed where they are said."""


@dataclass(frozen=True, kw_only=True)
class Options(OnRun):
    """Train a classifier of a run's images, and say how good it is."""

    label: Annotated[str, Flag(metavar="COLUMN")]
    """The column of the run's table that it is to tell."""
    group: Annotated[str | None, Flag(metavar="COLUMN")] = None
    """A column of what is never on both sides, such as plate or well; intervals are over these."""
    seed: Seed = 0
    """Of the weights and the order of the images."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.cli._notes import say
    from vaelab.cli.evaluate import show
    from vaelab.report.classifier import confused, write_page
    from vaelab.runs.classify import classify

    trained = options.load()
    with naming({"label": "--label", "group": "--group"}):
        found = classify(trained, options.label, group=options.group, seed=options.seed, progress=not options.quiet)
    write_page(found)
    for note in found.notes:
        say(note)
    facts, (learnt, calibrated, judged) = found.predictor.facts, found.counts
    show(found.scores, f"{facts.column}: {judged:,} {found.part} images; learnt from {learnt:,}")
    if options.quiet:
        return 0
    if found.uncalibrated is not None:
        temperature = float(found.predictor.temperature)
        print(
            f"Calibrated with {calibrated:,} validation images: temperature {temperature:.3g}; without it the "
            f"calibration error is {found.uncalibrated.value:.2g}."
        )
    if words := confused(found):
        print(words)
    print(f"Intervals are over {facts.group or 'image'}s.")
    for what, path in {"the page": found.path.with_suffix(".html"), **found.kept}.items():
        print(f"{path}  {what}")
    return 0
