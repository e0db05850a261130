"""`vaelab measure`: the metrics of codes that come from anywhere, with what is known of the images beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from vaelab import files
from vaelab.cli._options import Argument, Flag, Quiet, naming
from vaelab.errors import InputError
from vaelab.settings.ranges import PathText, Seed

EXAMPLES = """\
examples:
  vaelab measure codes.csv --labels treatment
  vaelab measure codes.h5ad --factors size angle --groups well -o scores.csv
  vaelab measure codes.csv --images my_folder/
  vaelab measure umap.npz --codes x y --labels kind

The table has one row per image. Codes are the columns z0, z1, ... as `vaelab embed` writes them, unless --codes names
others; with columns z0_scale, z1_scale, ... beside them, what speaks of whole posteriors is measured too. With
--labels, the clusters of a column `cluster` are compared with the labels; where there is none, those of a mixture of as
many Gaussians as there are labels. .parquet and .h5ad need the extras vaelab[parquet] and vaelab[anndata]."""


@dataclass(frozen=True, kw_only=True)
class Options(Quiet):
    """Measure codes in a table, whoever made them."""

    file: Annotated[PathText, Argument("FILE")]
    """A table: .csv, .npz, .parquet or .h5ad."""
    codes: Annotated[tuple[str, ...], Flag(metavar="COLUMN")] = ()
    """The columns of the codes; left out: z0, z1, ..."""
    labels: Annotated[str | None, Flag(metavar="COLUMN")] = None
    """A column of kinds."""
    factors: Annotated[tuple[str, ...], Flag(metavar="COLUMN")] = ()
    """Columns of known numbers."""
    groups: Annotated[str | None, Flag(metavar="COLUMN")] = None
    """A column that says which images belong together."""
    batches: Annotated[str | None, Flag(metavar="COLUMN")] = None
    """A column that says which groups were made together."""
    images: Annotated[PathText | None, Flag(metavar="PATH")] = None
    """The images that the codes are of, for how well neighbourhoods are kept."""
    metrics: Annotated[tuple[str, ...], Flag(metavar="NAME")] = ()
    """Which metrics; left out: all that can be computed."""
    output: Annotated[PathText | None, Flag("-o", metavar="FILE.csv")] = None
    """Where to write the scores, too."""
    seed: Seed = 0
    """Of the mixture."""


def run(options: Options) -> int:
    """Does it."""
    if options.output is not None and not options.output.endswith(".csv"):
        raise InputError("--output", "end in .csv", repr(options.output))

    from vaelab.cli._notes import say
    from vaelab.cli.evaluate import show
    from vaelab.data import open_source
    from vaelab.evaluation import measure_table, read_table, scores_table

    table = read_table(options.file, "FILE")
    images = None if options.images is None else open_source(options.images).load(progress=not options.quiet)
    with naming(
        {name: f"--{name}" for name in ("codes", "labels", "factors", "groups", "batches", "images", "metrics")}
    ):
        measured = measure_table(
            table,
            codes=options.codes,
            labels=options.labels,
            factors=options.factors,
            groups=options.groups,
            batches=options.batches,
            images=images,
            metrics=options.metrics or None,
            seed=options.seed,
        )
    for note in (*table.attrs.get("notes", ()), *measured.notes):
        say(note)
    if not measured.scores:
        mend = "Name what is known of the images: --labels COLUMN, --factors COLUMN, --images PATH."
        raise InputError("the table", "hold what these metrics ask for", "codes alone", mend)
    show(measured.scores, f"{len(table):,} images, {measured.codes.shape[1]} numbers each")
    if options.output is not None:
        files.write(options.output, scores_table(measured.scores).to_csv(index=False), "--output")
    return 0
