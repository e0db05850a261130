"""`vaelab data synthesize`: a collection with known truth, generated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from vaelab.cli._options import Argument, Changing, Flag
from vaelab.cli.data._generated import generated, lines
from vaelab.errors import InputError, unknown_name
from vaelab.settings.ranges import PathText

if TYPE_CHECKING:
    from vaelab.data import Source

EXAMPLES = """\
examples:
  vaelab data synthesize cells-synthetic -o cells.npz --num-images 10000
  vaelab data synthesize rosettes --help            its settings"""


@dataclass(frozen=True, kw_only=True)
class Options(Changing):
    """Generate a collection with known truth."""

    name: Annotated[str, Argument("NAME")] = ""
    """One of the collections below."""
    output: Annotated[PathText | None, Flag("-o", metavar="FILE.npz")] = None
    """Where to write it; left out: NAME.npz."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.data.sources.npz import save_npz

    source = _source(options)
    target = Path(options.output or f"{options.name.replace('-', '_')}.npz")
    if target.suffix != ".npz":
        raise InputError("--output", "end in .npz", repr(str(target)))
    if target.is_dir() or not target.parent.is_dir():
        raise InputError("--output", "be a file in a folder that is there", repr(str(target)))
    with options.naming():
        collection = source.load(progress=not options.quiet)
    save_npz(collection, target)
    print(f"{target}: {collection}")
    return 0


def help_on(options: Options) -> str:
    """Every setting of the collection that is named; without a name, the collections."""
    from vaelab.settings.help import settings_help

    if not options.name:
        return "\ncollections:\n" + lines({name: cls.__doc__ for name, cls in generated().items()})
    return f"\n{options.name}: every setting, with its value here\n\n{settings_help(_source(options))}"


def _source(options: Options) -> Source:
    from vaelab.settings.text import override

    known, name = generated(), options.name.replace("-", "_")
    if name not in known:
        raise unknown_name("the collection", options.name, known)
    with options.naming():
        return override(known[name](), options.settings)
