"""`vaelab odd`: which images are odd, as a table and a gallery."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from vaelab import files
from vaelab.cli._notes import say, say_reading
from vaelab.cli._options import Flag, OnImages, naming
from vaelab.errors import InputError
from vaelab.settings.ranges import AtLeast1, PathText, Seed

if TYPE_CHECKING:
    import pandas as pd

    from vaelab.runs.odd import Odd

EXAMPLES = """\
examples:
  vaelab odd runs/cells-1                                the held-out images
  vaelab odd runs/cells-1 --on all --label moa           all of them, each compared with those of its class
  vaelab odd runs/cells-1 folder/ -o strange.csv         other images, read as the run's were

Two things make an image odd. It is drawn worse than is usual among those of its class (an artefact, a rare kind, or
more detail than others), or its code lies far from those of training images. The table has one row per image, the
oddest first; the gallery beside it, an HTML file, shows those at the top of either order with name and class. Columns
of the images' table keep their names: where one of ours has the same, ours begins with vaelab_. Any setting of the
source of other images is a flag, as on `vaelab embed`."""


@dataclass(frozen=True, kw_only=True)
class Options(OnImages):
    """Which images are odd, as a table and a gallery."""

    on: Literal["held-out", "train", "validation", "test", "all"] | None = None
    """Which of the run's own images; left out: the held-out ones."""
    label: Annotated[str | None, Flag(metavar="COLUMN")] = None
    """The column of classes; left out: the likeliest, which is named."""
    show: AtLeast1 = 48
    """Images in each part of the gallery."""
    output: Annotated[PathText | None, Flag("-o", metavar="FILE.csv")] = None
    """The table; the gallery lies beside it, ending in .html. Left out: RUN/odd.csv."""
    seed: Seed = 0
    """Of the draws."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.data.columns import label_column
    from vaelab.report.odd import write_gallery
    from vaelab.runs.export import check_target
    from vaelab.runs.odd import find_odd

    if options.others is not None and options.on is not None:
        raise InputError("--on", "be left out with IMAGES", options.on, "All of them are looked at.")
    trained = options.load().at_stage(options.stage)
    target = check_target(options.output or Path(options.run) / "odd.csv")
    if target.suffix != ".csv":
        raise InputError("--output", "end in .csv", repr(str(target)))
    others = options.other_images(trained)
    table = (trained.dataset.collection if others is None else others).table
    label = options.label or label_column(table) or None
    rows = None if others is not None or options.on == "all" else (options.on or "held-out").replace("-", "_")
    with naming({"label": "--label"}):
        odd = find_odd(trained, others, rows, label=label, seed=options.seed, progress=not options.quiet)
    notes = []
    files.write(target, _table(odd, notes).to_csv(index=False), "--output")
    write_gallery(target.with_suffix(".html"), trained, odd, label=label or "", show=options.show)
    if others is not None:
        say_reading(others)
    if label and not options.label:
        say(f"classes are those of the column {label!r}, the likeliest; --label names another")
    if not len(odd.by_distance):
        say("distances of codes are left out, as the training images are not at hand or all have one code")
    for note in notes:
        say(note)
    if not options.quiet:
        bad = int((odd.fits < -3.5).sum())
        print(f"{len(odd.rows):,} images, {bad:,} of them with a fit below -3.5: {target}")
        print(target.with_suffix(".html"))
    return 0


def _table(odd: Odd, notes: list[str]) -> pd.DataFrame:
    """One row per image, the oddest first; what was renamed is noted."""
    from vaelab.runs.export import beside

    own, found = odd.images.table.iloc[odd.rows].reset_index(drop=True), odd.columns()
    first = found.filter(like="rank_by_").min(axis=1).argsort(kind="stable")
    return beside(own, [found], notes).iloc[first]
