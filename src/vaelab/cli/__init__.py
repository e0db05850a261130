"""The command line: the only folder that knows the parser. One file, one command.

A command's module has `add`, which declares its arguments, and `run`, which does it and returns the exit code. Whatever
takes long to import is imported inside `run`, so that help is there at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from types import ModuleType

from vaelab.cli import beta, clusters, data, draw, embed, evaluate, guide, report, resume, train
from vaelab.cli._parser import Parser
from vaelab.errors import InputError, unknown_name

COMMANDS: tuple[ModuleType, ...] = (train, resume, evaluate, embed, clusters, guide, report, draw, data, beta)

_EXAMPLES = """\
examples:
  vaelab train digits                          a first run, on images that come with scikit-learn, in a minute
  vaelab report runs/digits-1                  what it learnt, as one HTML file
  vaelab train images --data my_folder/        your own images
  vaelab train images --help                   every setting, with its value
  vaelab embed runs/images-1 more/ -o codes.csv

`vaelab COMMAND --help` says more.  Exit codes: 0 done, 2 an input was refused, 130 stopped with Ctrl-C."""

_TOO_LARGE = ("allocate memory", "out of memory", "Overflow when unpacking", "size calculation overflowed")
"""How torch says that a tensor is too large."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code; a refused input is one sentence on stderr and code 2."""
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except InputError as error:
        return _refused(error)
    except KeyboardInterrupt as error:
        print(str(error) or "Stopped.", file=sys.stderr)
        return 130
    except (MemoryError, RuntimeError, ValueError, TypeError) as error:
        if not (isinstance(error, MemoryError) or any(sign in str(error) for sign in _TOO_LARGE)):
            raise
        mend = "Take smaller widths, smaller images or a smaller training.batch_size."
        return _refused(InputError("the settings", "ask for what fits the memory", "more", mend))
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _refused(error: InputError) -> int:
    """Says it on one line, whatever was typed; the exit code."""
    print("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(error)), file=sys.stderr)
    return 2


def _run(argv: list[str]) -> int:
    parser = Parser(prog="vaelab", description="Learn, measure and explain the latent space of an image collection.")
    parser.epilog = _EXAMPLES
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", title="commands")
    modules = {module.__name__.rsplit(".", 1)[1]: module for module in COMMANDS}
    for module in COMMANDS:
        module.add(commands)
    if not argv:
        parser.print_help()
        return 0
    if argv == ["--version"]:
        from importlib.metadata import version

        print(f"vaelab {version('vaelab')}")
        return 0
    if not argv[0].startswith("-") and argv[0] not in modules:
        raise unknown_name("the command", argv[0], modules)
    if argv[0] in ("train", "data"):  # they take settings as flags, so they read their arguments themselves
        return modules[argv[0]].run(argv[1:])
    args = parser.parse_args(argv)
    if args.command is None:
        raise InputError("vaelab", "be given a command", " ".join(argv), "See vaelab --help.")
    return modules[args.command].run(args)
