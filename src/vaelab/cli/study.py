"""`vaelab study`: experiments x seeds, one run after another that is not there yet, side by side."""

from __future__ import annotations

import shlex
import sys
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from vaelab import screen
from vaelab.cli._notes import say, say_data, say_signs
from vaelab.cli._options import Argument, Flag, Quiet
from vaelab.cli._seeds import seed_numbers
from vaelab.errors import InputError
from vaelab.settings.ranges import AtLeast1, PathText, Positive

if TYPE_CHECKING:
    from vaelab.studies import Study

EXAMPLES = """\
examples:
  vaelab study list                            the studies that have a name
  vaelab study betas.json                      what its file asks for, in runs/betas; again: what is not done yet
  vaelab study betas.json --seeds 0-4 --jobs 2
  vaelab study betas.json --slurm gpu          as jobs of a Slurm cluster's partition
  vaelab study betas.json --plan               a command for each run, for other machines

a file: a base and a grid, or a list of experiments (presets, files, or whole ones), and seeds
  {"name": "betas", "base": "digits", "seeds": [0, 1],
   "grid": {"objective.rate_weight": [0.5, 1, 4], "model.latent_dim": [2, 8]}}
  {"name": "two", "experiments": ["digits", {"experiment": "digits", "name": "wide",
   "settings": {"model.encoder.hidden": [512, 256]}}]}

The runs lie in FOLDER/NAME/seed-SEED. A run that is done is not run again, one that was stopped or killed goes on, and
one that fails is said at once, while the others go on. At the end all are compared, in FOLDER/comparison.html."""


@dataclass(frozen=True, kw_only=True)
class Options(Quiet):
    """Train several experiments with several seeds each; what is done already is not done again."""

    study: Annotated[str, Argument("STUDY|FILE.json")]
    """A study's name, a file, or `list`."""
    out: Annotated[PathText | None, Flag("-o", metavar="FOLDER")] = None
    """The study's folder; left out: runs/NAME."""
    seeds: Annotated[str | None, Flag(metavar="A-B")] = None
    """Seeds of each experiment, such as 0-4 or 0,2,5; left out: the study's own."""
    jobs: AtLeast1 | None = None
    """Runs at a time; left out: one for each core, or each GPU; on Slurm all."""
    slurm: Annotated[str | None, Flag(metavar="PARTITION")] = None
    """Train on a Slurm cluster, as jobs of this partition."""
    hours: Positive = 4.0
    """Of --slurm: a job's time; a run that needs longer is saved, queued again and goes on."""
    data: Annotated[PathText | None, Flag(metavar="PATH")] = None
    """Images in place of those of its experiments."""
    quick: bool = False
    """Of a study by name, the small form."""
    stop: bool = False
    """Stop at the first run that fails."""
    plan: bool = False
    """Print a command for each run that is not done, and do none."""
    only: Annotated[str | None, Flag(metavar="NAME/seed-SEED")] = None
    """Do this one run, here, if it is not done."""


def run(options: Options) -> int:
    """Does it."""
    if options.study == "list":
        return _list()
    from vaelab.studies import find

    study = find(options.study, options.data, quick=options.quick)
    if options.seeds is not None:
        study = replace(study, seeds=seed_numbers([options.seeds]))
    folder = Path(options.out or Path("runs") / f"{study.name}{'-quick' * options.quick}")
    if options.only is not None:
        return _one(study, folder, options)
    return _plan(study, folder, options) if options.plan else _all(study, folder, options)


def _list() -> int:
    from vaelab.studies import studies

    for name, make in studies().items():
        words = (make.__doc__ or "").splitlines()[0]
        first = f"{name.replace('_', '-'):<20}"
        print(textwrap.fill(words, 110, initial_indent=first, subsequent_indent=" " * 20))
    return 0


def _one(study: Study, folder: Path, options: Options) -> int:
    from vaelab.studies import do_run

    done = do_run(study.run(options.only or "", folder), progress=not options.quiet)
    say_signs(done)
    if not options.quiet:
        print(f"Next: vaelab report {done.folder}")
    return 0


def _plan(study: Study, folder: Path, options: Options) -> int:
    from vaelab.studies import check_fit

    runs = study.runs(folder)
    check_fit(runs)
    more = [*(["--data", options.data] if options.data else []), *(["--quick"] if options.quick else [])]
    for each in runs:
        if not each.is_done:
            print(shlex.join(["vaelab", "study", options.study, *more, "-o", str(folder), "--only", each.name]))
    return 0


def _all(study: Study, folder: Path, options: Options) -> int:
    from vaelab.studies import do_study

    slurm = None if options.slurm is None else (options.slurm, options.hours)
    failed = do_study(
        study, folder, jobs=options.jobs, slurm=slurm, stop=options.stop, progress=not options.quiet, tell=say_data
    )
    _show(study, folder, failed)
    _compare(study, folder, options)
    if failed:
        print(
            f"{len(failed)} of {len(study.runs(folder))} runs failed; the same command tries them again.",
            file=sys.stderr,
        )
    return 1 if failed else 0


def _show(study: Study, folder: Path, failed: dict[str, str]) -> None:
    """A table of the runs: how far each is, how long it took, and the last ELBO on images that are held out."""
    from vaelab.studies import how_far

    formats = {"steps": "{:,.0f}", "seconds": "{:,.1f}", "elbo": "{:.2f}"}
    rows = []
    for each in study.runs(folder):
        known = how_far(each)
        state = "failed" if each.name in failed else "done" if each.is_done else "not done"
        rows.append([each.name, state, *(f.format(known[n]) if n in known else "" for n, f in formats.items())])
    columns = ["run", "state", "steps", "seconds", "elbo of validation"]
    screen.table(study.name, columns, rows, left=["run", "state"])


def _compare(study: Study, folder: Path, options: Options) -> None:
    """The runs that are done on the images that all of them held out, as FOLDER/comparison.html."""
    from vaelab.cli import compare

    done = [each.folder for each in study.runs(folder) if each.is_done]
    if len(done) < 2:
        return
    asked = compare.Options(
        runs=tuple(map(str, done)),
        output=str(folder / "comparison.html"),
        quiet=options.quiet,
        **vars(study.measuring),
    )
    try:
        compare.compare_all(asked, done, study)
    except InputError as error:
        say(f"the runs were not compared: {error}".removesuffix("."))
