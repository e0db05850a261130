"""The command line: the only folder that knows the parser. One file, one command; a folder is a command of commands.

A command's module has `Options`, a settings class whose docstring says what the command does, `EXAMPLES`, and
`run(options)`, which does it and returns the exit code. Whatever takes long to import is imported inside `run`, so that
help is there at once. A folder has `ABOUT`, which says what its commands do, and `EXAMPLES`. A command that takes
settings has `help_on(options)` besides: what help says of the part that is named, or of those that can be. `TOGETHER`
says of a command that torchrun may start it in several processes, `SERVES` that it waits most of the time and so should
hold little memory.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType

from vaelab import machine
from vaelab.cli._ranks import in_ranks, is_first
from vaelab.errors import InputError, printable, unknown_name

ABOUT = "Learn, measure and explain the latent space of an image collection."
EXAMPLES = """\
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
    argv = list(sys.argv[1:] if argv is None else argv)
    os.environ.pop("MPLBACKEND", None)  # pictures are drawn without a window, whatever a notebook has set
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal can't show is escaped
    try:
        if argv == ["--version"]:
            from importlib.metadata import version

            print(f"vaelab {version('vaelab')}")
            return 0
        code = _run(sys.modules[__name__], argv, "vaelab")
        print(end="", flush=True)  # what cannot be written is found out here, and not at exit
        return code
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
    except OSError as error:
        return _failed(error)


def commands(package: ModuleType) -> dict[str, ModuleType]:
    """Name -> module of every command in a folder: its files, and folders of commands, without a leading underscore."""
    names = [found.name for found in pkgutil.iter_modules(package.__path__) if not found.name.startswith("_")]
    return {name: importlib.import_module(f"{package.__name__}.{name}") for name in sorted(names)}


def _run(package: ModuleType, argv: list[str], typed: str) -> int:
    """Finds the command that the arguments begin with, and does it."""
    known = commands(package)
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview(package, typed, known))
        return 0
    name = argv[0].replace("-", "_")
    if name not in known:
        raise unknown_name("the command", argv[0], ["--help", "--version"] if argv[0].startswith("-") else known)
    if hasattr(known[name], "__path__"):
        return _run(known[name], argv[1:], f"{typed} {argv[0]}")
    return _do(known[name], argv[1:], f"{typed} {argv[0]}")


def _do(module: ModuleType, argv: list[str], typed: str) -> int:
    from vaelab.cli._parser import Parser

    parser = Parser(module.Options, typed, module.EXAMPLES)
    asked = {"-h", "--help"} & set(argv)
    if in_ranks() and not (asked or getattr(module, "TOGETHER", False)):
        if not is_first():
            return 2
        raise InputError(typed, "run in one process", "several, by torchrun", "They can train and resume together.")
    help_on = getattr(module, "help_on", None)
    if not asked and (argv or not help_on):
        if not getattr(module, "SERVES", False):
            machine.keep_freed_memory()  # before torch is imported
        return module.run(parser.read(argv))
    options = None if parser.asks or not help_on else parser.read([word for word in argv if word not in asked])
    named = options is not None and any(getattr(options, name) for name in parser.arguments)
    print(parser.format_usage() if named else parser.format_help())
    if help_on:
        print(help_on(options))
    return 0


def _overview(package: ModuleType, typed: str, known: dict[str, ModuleType]) -> str:
    lines = [f"  {name.replace('_', '-'):<12}{_about(module)}" for name, module in known.items()]
    return "\n".join([f"usage: {typed} COMMAND ...", "", package.ABOUT, "", "commands:", *lines, "", package.EXAMPLES])


def _about(module: ModuleType) -> str:
    return module.ABOUT if hasattr(module, "ABOUT") else (module.Options.__doc__ or "").splitlines()[0]


def _failed(error: OSError) -> int:
    """What the system would not do, said; or nothing, where the reader of our output, such as `head`, has seen enough.

    Only what is printed has no name. What is left of it would be tried again at exit, so it goes nowhere.
    """
    if error.filename is None and sys.stdout is not None:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 0
    if error.filename is None:
        return _refused(InputError("what is printed", "have a place to go", error.strerror or error))
    return _refused(InputError(str(error.filename), "be a file that can be used", error.strerror or error))


def _refused(error: InputError) -> int:
    """Says it on one line, whatever was typed; the exit code."""
    print(printable(str(error)), file=sys.stderr)
    return 2
