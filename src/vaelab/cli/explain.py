"""`vaelab explain`: what a classifier's decision looks like, or what latents mean, in images that the model draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from vaelab import screen
from vaelab.cli._options import Flag, OnStage, naming
from vaelab.errors import InputError
from vaelab.settings.ranges import AtLeast1, PathText, Seed

if TYPE_CHECKING:
    from vaelab.runs.confounded import Confounder
    from vaelab.runs.explaining import Explanation

EXAMPLES = """\
examples:
  vaelab explain runs/digits-1 --label label --to 8
  vaelab explain runs/cells-1 --label moa --to "Microtubule stabilizers" --num-images 8 --methods latent-shift geodesic
  vaelab explain runs/digits-1 --label label --to 8 --rows 0-9,12 --num-targets 7
  vaelab explain runs/cells-1 --label moa --to DMSO --confounders plate well
  vaelab explain runs/cells-1 --label concentration:number        a number: no --to
  vaelab explain runs/cells-1 --latents
  vaelab explain runs/two-stage-1 --latents --stage first

Of held-out images series are drawn in which the classifier of a column says step by step more of a class, by several
methods, random and linear directions among them as what the others must do better than. Each is judged: whether the
classifier follows, whether the steps look like data, whether they are still the same image. Where the classifier does
not say the same of reconstructions as of images (the gate, 0.85), every output carries the warning: by a poor model the
classifier follows all too well. A classifier of the column is read from RUN/classifiers, or trained and put there;
`vaelab classify` says how good it is.

--confounders asks how far other columns, such as the plate, are dragged along: an oracle of each says how far it moves
with the series, beside the series of a classifier that is trained on balanced data and explained alike. It takes two
trainings of a small classifier for each column; `--confounders all` takes every one that a classifier can tell.

--latents asks no classifier, but what each latent means: what it moves (channels, and features measured on the images),
in which pixels, which columns of the table and features of real images go with it, and whether trainings with other
seeds, in the folders beside the run, say the same. The principal axes of the codes and the classes of --label (left
out, the likeliest column) are directions, too.

In RUN/explanations/COLUMN-CLASS lie page.html, series.npz (images in the units of the files), scores.csv and, where
they are asked for, confounders.csv; in RUN/explanations/latents page.html, meaning.csv and meaning.npz. Of an earlier
stage the folder's name ends in it: COLUMN-CLASS-first, latents-first."""

_SHOWN = (
    "consistency_correlation",
    "consistency_error",
    "reached_span",
    "series_realness",
    "series_novelty",
    "latent_closeness",
    "series_sparsity",
)


@dataclass(frozen=True, kw_only=True)
class Options(OnStage):
    """Explain what a classifier says of a run's images, or what latents mean."""

    label: Annotated[str | None, Flag(metavar="COLUMN")] = None
    """The column that the classifier tells; or with --latents, the classes that are directions."""
    latents: bool = False
    """Say what each latent means, in place of a classifier's decision."""
    to: Annotated[str | None, Flag(metavar="CLASS")] = None
    """The class of which images are made more and less; left out, the second of two."""
    classifier: Annotated[PathText | None, Flag(metavar="FILE.safetensors")] = None
    """A classifier that `vaelab classify` wrote, of this run or another of the same kind of images."""
    num_images: AtLeast1 | None = None
    """Held-out images, a random draw; left out, 16, and with --latents 2,000, of which 64 are moved."""
    rows: Annotated[str | None, Flag(metavar="0-9,12")] = None
    """These rows of the collection instead."""
    methods: tuple[str, ...] = ()
    """Ways to exaggerate; left out, latent-shift, latent-optimization, and the two baselines."""
    num_targets: AtLeast1 = 10
    """Steps of each series."""
    num_solutions: AtLeast1 = 1
    """Series of latent-optimization, which reach the same by different changes."""
    confounders: Annotated[tuple[str, ...], Flag(metavar="COLUMN")] = ()
    """Other columns, of which it is asked how far the explanation drags them along; all: every one that can be told."""
    seed: Seed = 0
    """Of every draw, and of the classifier if it is trained."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.cli._notes import say
    from vaelab.report.explanation import write_explanation
    from vaelab.runs.confounded import confounder_columns, confounders
    from vaelab.runs.explaining import explain_run
    from vaelab.runs.question import rows_in

    if options.latents:
        return _latents(options)
    if options.label is None:
        raise InputError("--label", "name the column that is explained", "none", "Or say --latents.")
    trained = options.load()
    flags = ("label", "to", "classifier", "rows", "methods", "method", "targets", "confounders")
    named = {name: f"--{name}" for name in flags} | {"targets": "--num-targets", "method": "--methods"}
    with naming(named):
        columns = confounder_columns(trained, options.label, options.confounders)
        found = explain_run(
            trained,
            options.label,
            to=options.to,
            classifier=options.classifier,
            rows=None if options.rows is None else rows_in(trained, options.rows),
            num_images=options.num_images or 16,
            methods=options.methods,
            num_targets=options.num_targets,
            num_solutions=options.num_solutions,
            stage=options.stage,
            seed=options.seed,
            progress=not options.quiet,
        )
        dragged = confounders(found, columns, seed=options.seed, progress=not options.quiet) if columns else ()
    page = write_explanation(found, dragged)
    for note in found.notes:
        say(note.removesuffix("."))
    _show(found)
    if options.confounders:
        _show_confounders(found, dragged)
    if not options.quiet:
        kept = ["series.npz", "scores.csv", *(["confounders.csv"] if dragged else [])]
        print("\n".join(map(str, [page, *(found.folder / name for name in kept)])))
    return 0


def _latents(options: Options) -> int:
    """Says what each latent means."""
    from vaelab.report.latents import explain_latents

    given = {"to": options.to, "classifier": options.classifier, "rows": options.rows}
    given |= {"methods": options.methods, "confounders": options.confounders}
    given |= {"num-targets": options.num_targets, "num-solutions": options.num_solutions}
    usual = {"num-targets": Options.num_targets, "num-solutions": Options.num_solutions}
    for name, value in given.items():
        if value and value != usual.get(name):
            raise InputError(f"--{name}", "be left out with --latents", [*value] if isinstance(value, tuple) else value)
    trained = options.load()
    with naming({"label": "--label"}):
        found = explain_latents(
            trained,
            num_images=options.num_images,
            label=options.label,
            stage=options.stage,
            seed=options.seed,
            progress=not options.quiet,
        )
    names = found.arrays["directions"].tolist()
    rows = [[name, found.says(i), found.goes_with(i), *([found.in_seeds(i)] * (len(found.seeds) > 1))]
            for i, name in enumerate(names)]  # fmt: skip
    columns = ["direction", "moves", "goes with", *(["is shown"] * (len(found.seeds) > 1))]
    screen.table(f"{len(found.arrays['rows'])} images moved from end to end", columns, rows, left=columns)
    if not options.quiet:
        print("Moves: in standard deviations of real images. Goes with: rank correlation over real images.")
        print("\n".join(str(found.path.with_name(name)) for name in ("page.html", "meaning.csv", "meaning.npz")))
    return 0


def _show(found: Explanation) -> None:
    """A row for each measure, a column for each method, and the gate."""
    from vaelab.cli.evaluate import number
    from vaelab.evaluation import all_metrics

    series = found.explained.series
    rows = []
    for metric in _SHOWN:
        scores = [found.measured[name].score(metric) for name in series]
        title = all_metrics([metric])[metric].words.title
        rows.append([title, *(number(score) if score else "" for score in scores)])
    rows.append(["seconds per image", *(f"{each.seconds / len(found.rows):.2g}" for each in series.values())])
    what = f"{found.predictor.facts.column}{f' = {found.to}' if found.to else ''}"
    names = [name.replace("_", "-") for name in series]
    screen.table(f"{what}: {len(found.rows)} images", ["measure", *names], rows, left=["measure"])
    gate = {"agreement": found.fidelity.agreement, "correlation": found.fidelity.correlation}
    said = ", ".join(f"{name} {number(score)}" for name, score in gate.items() if score)
    print(f"f of reconstructions against f of images: {said} (0.85 is asked of both).")


def _show_confounders(found: Explanation, dragged: Sequence[Confounder]) -> None:
    """A row for each column, and what is to be said of it."""
    from vaelab.cli.evaluate import number

    if not dragged:
        print("No other column of the table has 2 to 100 kinds that repeat.")
        return
    rows = [
        [each.column, *map(number, (drag.moved, drag.baseline_moved, drag.difference, drag.toward)), each.value]
        for each in dragged
        for drag in [each.drags.get(found.best)]
        if drag
    ]
    if rows:
        title = f"How far other columns move with the series of {found.best.replace('_', '-')} (0 to 1)"
        columns = ["column", "moves", "by balanced data", "difference", "probability rises by", "of"]
        screen.table(title, columns, rows, left=["column", "of"])
    for each in dragged:
        print(f"{each.verdict(found.best)}.")
