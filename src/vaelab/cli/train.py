"""`vaelab train`: a preset or a file, with any setting changed, to a run folder."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING

from vaelab.cli._notes import say_left_out, say_signs
from vaelab.cli._parser import Parser, split_settings
from vaelab.errors import InputError, unknown_name

if TYPE_CHECKING:
    from vaelab.experiment import Experiment

_SUMMARY = "train a preset, or an experiment's JSON file"
_EXAMPLES = """\
examples:
  vaelab train digits
  vaelab train mnist --data mnist/ --out runs/first
  vaelab train images --data my_folder/ --model.latent-dim 32 --training.num-epochs 50
  vaelab train digits --model.likelihood gaussian --model.likelihood.scale 0.1
  vaelab train digits --seeds 0 1 2            a run for each, side by side
  vaelab train digits --print > mine.json      the settings as a file, to change and train with
  vaelab train mine.json
  vaelab train digits --help                   every setting, with its value and what it means

Any setting is a flag: its path in the file, with - for _ where you like. A list is 32,32,64; None is none."""


def add(commands) -> None:
    """Declares the command."""
    _declare(commands.add_parser("train", help=_SUMMARY, add_help=False))


def run(argv: list[str]) -> int:
    """Does it, from the arguments after the command's name."""
    parser = _declare(Parser(prog="vaelab train", add_help=False))
    own, settings = split_settings(argv, set(parser._option_string_actions))
    args = parser.parse_args(own)
    if args.experiment is None:
        if args.help or not argv:
            print(f"{parser.format_help()}\n{_presets_help()}")
            return 0
        raise InputError("vaelab train", "be given a preset or a file", "neither", "See vaelab train --help.")
    if args.out is not None and not args.out:
        raise InputError("--out", "be a folder", "nothing")
    seeds = _seeds(args.seeds, settings)
    if not args.help:
        _prepare_process(len(seeds))
    experiment = _experiment(args, settings, parser)
    if args.help:
        from vaelab.cli._settings import settings_help

        title = f"{experiment.name}: every setting, with its value here"
        print(f"{parser.format_usage()}\n{title}\n\n{settings_help(experiment)}")
        return 0
    if args.print:
        from vaelab.experiment import as_json

        print(as_json(experiment))
        return 0
    if seeds:
        from vaelab.cli._seeds import train_seeds

        return train_seeds(experiment, seeds, args.out, strict=args.strict, quiet=args.quiet)
    from vaelab.runs import train

    done = train(experiment, args.out, progress=not args.quiet, strict=args.strict)
    say_left_out(done.facts.left_out, done.facts.num_images)
    say_signs(done)
    if not args.quiet:
        print(f"Next: vaelab report {done.folder}")
    return 0


def _declare(parser):
    parser.usage = "vaelab train PRESET|FILE.json [--data PATH] [--out RUN] [--FIELD.PATH VALUE ...] [more, below]"
    parser.description, parser.epilog = "Train a preset, or an experiment's JSON file.", _EXAMPLES
    parser.add_argument("experiment", metavar="PRESET|FILE.json", nargs="?", help="a preset's name, or a file")
    parser.add_argument("--data", metavar="PATH", help="the images: a folder, CSV, TIFF, npz, npy or IDX file")
    parser.add_argument(
        "--out", metavar="RUN", help="the run folder; left out: runs/NAME-1, or the first number that is free"
    )
    parser.add_argument(
        "--strict", action="store_true", help="refuse a collection with a broken image, do not leave it out"
    )
    parser.add_argument(
        "--seeds", metavar="SEED", nargs="+", help="a run for each seed, RUN/seed-SEED, one on each core"
    )
    parser.add_argument("--print", action="store_true", help="print the experiment as JSON, and do not train")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("-h", "--help", action="store_true", help="this; after a preset: every setting of it")
    return parser


def _prepare_process(num_seeds: int) -> None:
    """What must be done before torch is imported."""
    from vaelab.machine import keep_freed_memory

    if not num_seeds:
        keep_freed_memory()


def _seeds(texts: list[str] | None, settings: list[tuple[str, str]]) -> list[int]:
    seeds = []
    for text in texts or []:
        if not text.isascii() or not text.isdigit():
            raise InputError("--seeds", "be whole numbers, such as 0 1 2", repr(text))
        seeds.append(int(text))
    if len(set(seeds)) < len(seeds):
        raise InputError("--seeds", "be different numbers", " ".join(texts or []))
    if seeds and any(path == "seed" for path, _ in settings):
        raise InputError("--seed", "be left out where --seeds is given", "both")
    return seeds


def _experiment(args, settings: list[tuple[str, str]], parser) -> Experiment:
    from vaelab.data.sources.folder import FolderSource
    from vaelab.experiment import Experiment, read
    from vaelab.presets import preset, takes_images, with_images
    from vaelab.settings.fields import field_types
    from vaelab.settings.text import override

    for path, _ in settings:
        name = path.split(".")[0].replace("-", "_")
        if name not in field_types(Experiment):
            flags = [flag.removeprefix("--") for flag in parser._option_string_actions if flag.startswith("--")]
            raise unknown_name(f"--{path}", name, {*flags, *field_types(Experiment)})
    if args.experiment.endswith(".json") or os.sep in args.experiment:
        experiment = read(args.experiment)
        if args.data is not None:
            experiment = with_images(experiment, args.data)
    else:
        later = args.help or any(path.replace("-", "_") == "data.source.path" for path, _ in settings)
        placeholder = FolderSource(path="PATH") if later and takes_images(args.experiment) else None
        experiment = preset(args.experiment, args.data or placeholder)
    return override(experiment, settings)


def _presets_help() -> str:
    from vaelab.presets import presets

    lines = ["presets:"]
    for name, make in presets().items():
        first = f"  {name.replace('_', '-'):<20}"
        lines.append(
            textwrap.fill((make.__doc__ or "").splitlines()[0], 110, initial_indent=first, subsequent_indent=" " * 22)
        )
    return "\n".join(lines)
