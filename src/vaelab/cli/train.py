"""`vaelab train`: a preset or a file, with any setting changed, to a run folder."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from vaelab.cli._notes import say_data, say_signs
from vaelab.cli._options import Argument, Changing, Flag
from vaelab.cli._ranks import in_ranks, is_first, together
from vaelab.cli._seeds import say_ended, seed_numbers
from vaelab.errors import KNOWN_NAME, InputError, unknown_name
from vaelab.settings.fields import field_types
from vaelab.settings.ranges import PathText

if TYPE_CHECKING:
    from vaelab.experiment import Experiment

EXAMPLES = """\
examples:
  vaelab train digits
  vaelab train mnist --data mnist/ --out runs/first
  vaelab train images --data my_folder/ --model.latent-dim 32 --training.num-epochs 50
  vaelab train digits --model.likelihood gaussian --model.likelihood.scale 0.1
  vaelab train digits --seeds 0-7              a run for each, side by side
  torchrun --nproc-per-node 2 -m vaelab train mnist --data mnist/      one run, by two processes
  vaelab train digits --print > mine.json      the settings as a file, to change and train with
  vaelab train mine.json
  vaelab train digits --help                   every setting, with its value and what it means

Any setting is a flag: its path in the file, with - for _ where you like. A list is 32,32,64; None is none."""


TOGETHER = True
_OTHER_WORDS = {
    "lr": "learning_rate", "epochs": "num_epochs", "steps": "num_steps", "beta": "rate_weight",
    "kl_weight": "rate_weight", "z_dim": "latent_dim", "latents": "latent_dim", "num_latents": "latent_dim",
    "gpu": "device", "loss": "likelihood", "early_stopping": "patience", "dataset": "data.source.path",
}  # fmt: skip
"""What others call a setting -> its name here."""


@dataclass(frozen=True, kw_only=True)
class Options(Changing):
    """Train a preset, or an experiment's JSON file."""

    experiment: Annotated[str, Argument("PRESET|FILE.json")] = ""
    """A preset's name, or a file."""
    data: Annotated[PathText | None, Flag(metavar="PATH")] = None
    """The images: a folder, CSV, TIFF, npz, npy or IDX file."""
    out: Annotated[PathText | None, Flag(metavar="RUN")] = None
    """The run's folder; left out: runs/NAME-1, or the first number that is free."""
    strict: bool = False
    """Refuse a collection with a broken image, do not leave it out."""
    seeds: Annotated[tuple[str, ...], Flag(metavar="A-B")] = ()
    """A run for each seed, RUN/seed-SEED, one on each core, or together on a GPU: 0-7, 0,2,5 or 0 2 5."""
    print: bool = False
    """Print the experiment as JSON, and do not train."""

    def __post_init__(self):
        super().__post_init__()
        if self.seeds and any(path == "seed" for path, _ in self.settings):
            raise InputError("seeds", "be left out where --seed is given", "both")


def run(options: Options) -> int:
    """Does it."""
    if not options.experiment:
        raise InputError("vaelab train", "be given a preset or a file", "neither", "See vaelab train --help.")
    with together(), options.naming():
        if options.seeds and in_ranks():
            raise InputError("seeds", "be left out under torchrun", " ".join(options.seeds))
        experiment = _experiment(options)
        if options.print:
            from vaelab.experiment import as_json

            if is_first():
                print(as_json(experiment))
            return 0
        return _train_seeds(experiment, options) if options.seeds else _train(experiment, options)


def help_on(options: Options) -> str:
    """Every setting of the experiment that is named; without a name, the presets."""
    from vaelab.settings.help import settings_help

    if not options.experiment:
        return _presets_help()
    experiment = _experiment(options, placeholder=True)
    return f"{experiment.name}: every setting, with its value here\n\n{settings_help(experiment)}"


def _train(experiment: Experiment, options: Options) -> int:
    from vaelab.runs import train

    done = train(experiment, options.out, progress=not options.quiet, strict=options.strict)
    if is_first():
        say_data(done.dataset)
        say_signs(done)
    if is_first() and not options.quiet:
        print(f"Next: vaelab report {done.folder}")
    return 0


def _train_seeds(experiment: Experiment, options: Options) -> int:
    from vaelab.runs.seeds import begin_seeds, resume_seeds

    seeds, progress = seed_numbers(options.seeds), not options.quiet
    folders = begin_seeds(experiment, seeds, options.out, strict=options.strict, progress=progress, tell=say_data)
    return say_ended(resume_seeds(folders, progress=progress), quiet=options.quiet)


def _experiment(options: Options, *, placeholder: bool = False) -> Experiment:
    """The experiment that is asked for; `placeholder`: also where the images are still to be named."""
    from vaelab.data.sources.folder import FolderSource
    from vaelab.experiment import Experiment
    from vaelab.presets import find, takes_images
    from vaelab.settings.text import override

    for path, _ in options.settings:
        if path.split(".")[0].replace("-", "_") not in field_types(Experiment):
            known = {*field_types(Options), *field_types(Experiment)} - {"settings"}
            raise _meant(path, options) or unknown_name(f"--{path}", path.replace("-", "_"), known)
    later = placeholder or any(path.replace("-", "_") == "data.source.path" for path, _ in options.settings)
    unknown = FolderSource(path="PATH") if later and takes_images(options.experiment) else None
    try:
        return override(find(options.experiment, options.data or unknown), options.settings)
    except InputError as error:
        wrong = [path for path, _ in options.settings if path.replace("-", "_") == error.what]
        raise (_meant(wrong[0], options) if wrong and error.should == KNOWN_NAME else None) or error from None


def _meant(path: str, options: Options) -> InputError | None:
    """The refusal of a flag that is no setting's path, with those that end like it; None where there are none."""
    from vaelab.data.sources.folder import FolderSource
    from vaelab.experiment import Experiment
    from vaelab.presets import find, takes_images
    from vaelab.settings.help import paths

    name = path.replace("-", "_")
    last = name.rpartition(".")[2]
    wanted = _OTHER_WORDS.get(last, last)
    unknown = FolderSource(path="PATH") if takes_images(options.experiment) else None
    known = list(paths(find(options.experiment, options.data or unknown)))
    meant = [f"--{each.replace('_', '-')}" for each in known if wanted in (each, each.rpartition(".")[2])]
    if not meant or name in known or name in field_types(Experiment):
        return None
    return InputError(f"--{path}", "be a setting by its whole path", repr(name), f"Did you mean {' or '.join(meant)}?")


def _presets_help() -> str:
    from vaelab.presets import presets

    lines = ["presets:"]
    for name, make in presets().items():
        first = f"  {name.replace('_', '-'):<20}"
        words = (make.__doc__ or "").splitlines()[0]
        lines.append(textwrap.fill(words, 110, initial_indent=first, subsequent_indent=" " * 22))
    return "\n".join(lines)
