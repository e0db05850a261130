"""`vaelab compare`: several models on the same held-out images, as a page and a table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from vaelab import screen
from vaelab.cli._notes import say
from vaelab.cli._options import Argument, Flag, Quiet, naming, on_device
from vaelab.errors import InputError
from vaelab.machine import Device
from vaelab.settings.ranges import AtLeast1, PathText, Seed

if TYPE_CHECKING:
    from vaelab.runs.compare import Comparison
    from vaelab.runs.differences import Line
    from vaelab.studies import Study

EXAMPLES = """\
examples:
  vaelab compare runs/a runs/b                          writes comparison.html, and comparison.csv beside it
  vaelab compare runs/study -o study.html               all runs in a folder and in its folders
  vaelab compare runs/a runs/b runs/c --against runs/b --metrics mse elbo

Runs are compared on the images that all of them held out. Those that differ in the seed alone are one model, with an
interval over seeds beside that over images. Differences are paired: an image by one model against the same image by the
other. What cannot be compared, such as log-likelihoods of different data, is named with the reason, and the rest is
compared. What was measured is kept in each run's results and read from there the next time."""


@dataclass(frozen=True, kw_only=True)
class Options(Quiet):
    """Several models on the same held-out images."""

    runs: Annotated[tuple[PathText, ...], Argument("RUN|FOLDER")]
    """Runs, or folders of runs."""
    output: Annotated[PathText, Flag("-o", metavar="FILE.html")] = "comparison.html"
    """The page; the table lies beside it, ending in .csv."""
    against: Annotated[PathText | None, Flag(metavar="RUN")] = None
    """The run that others are set against; left out: the first."""
    metrics: Annotated[tuple[str, ...], Flag(metavar="NAME")] = ()
    """Which metrics; left out: all that can be computed."""
    num_samples: AtLeast1 = 100
    """Draws per image for ELBO and log p(x)."""
    num_images: AtLeast1 | None = None
    """A random draw of so many images; left out: all."""
    seed: Seed = 0
    """Of the draws."""
    labels: Annotated[str | None, Flag(metavar="COLUMN")] = None
    """A column of the runs' table, of kinds."""
    factors: Annotated[tuple[str, ...], Flag(metavar="COLUMN")] = ()
    """Columns of known numbers."""
    images: Annotated[PathText | None, Flag(metavar="PATH")] = None
    """Where the runs' images are now, if they have moved."""
    device: Device = "auto"
    """Where to compute; auto: on the GPU if there is one."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.runs.entries import find_runs
    from vaelab.runs.export import check_target

    check_target(_table_beside(options.output))
    folders, unready = find_runs(options.runs)
    with naming({name: f"--{name}" for name in ("metrics", "against", "labels", "factors")}):
        compare_all(options, folders)
    if unready:
        say(f"without a checkpoint yet, and left out: {', '.join(map(str, unready))}")
    return 0


def compare_all(options: Options, folders: Sequence[Path], study: Study | None = None) -> None:
    """Compares the runs in these folders, writes the page and its table, and prints them with the study's answers."""
    from vaelab.report.answers import answers
    from vaelab.report.comparison import write_comparison
    from vaelab.runs.compare import compare
    from vaelab.runs.entries import load_all

    with on_device():
        runs = load_all(folders, options.images, options.device)
    comparison = compare(
        runs,
        against=options.against,
        metrics=options.metrics or None,
        beside=dict.fromkeys(asked.metric for asked in study.questions) if study else (),
        num_images=options.num_images,
        num_samples=options.num_samples,
        seed=options.seed,
        labels=options.labels,
        factors=options.factors,
        progress=not options.quiet,
    )
    write_comparison(options.output, comparison, study)
    for note in comparison.notes:
        say(note)
    show(comparison)
    for question, answer in answers(comparison, study.questions if study else ()):
        print(f"{question}\n  {answer}")
    if not options.quiet:
        print(f"{options.output}\n{_table_beside(options.output)}")


def _table_beside(output: str) -> str:
    """Where the table of a page lies."""
    if not output.endswith(".html"):
        raise InputError("--output", "end in .html", repr(output))
    if os.path.isdir(output):
        raise InputError("--output", "be a file", f"the folder {output}")
    return f"{output.removesuffix('.html')}.csv"


def show(comparison: Comparison) -> None:
    """Prints one line per metric with a column for each model, and what was not compared."""
    names = [entry.name for entry in comparison.entries]
    own = [line for line in comparison.lines if not line.score.part and not line.score.model]
    cells = {(line.score.metric, line.entry): _cell(line) for line in own}
    first = {line.score.metric: line.score for line in reversed(own)}
    rows = []
    for metric in dict.fromkeys(line.score.metric for line in own):
        score = first[metric]
        better = "" if score.better == "neither" else score.better
        rows.append([metric, *(cells.get((metric, name), "") for name in names), score.unit, better])
    measured = f"{len(comparison.rows):,} images, {comparison.num_samples:,} samples each"
    title = f"{measured}; in brackets, where a difference from {comparison.against.name} is shown"
    screen.table(title, ["measure", *names, "unit", "better"], rows, left=["measure", "unit", "better"])
    for (reason, left_out), metrics in comparison.reasons().items():
        of = f" of {', '.join(left_out)}" if left_out else ""
        print(f"Not compared: {', '.join(metrics)}{of}: {reason}")


def _cell(line: Line) -> str:
    difference, value = line.difference, f"{line.score.value:.5g}"
    return f"{value} ({difference.words})" if difference and difference.is_shown else value
