"""`vaelab data`: what images there are, what lies in a file, known sets to fetch, collections to generate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vaelab.cli._parser import Parser, split_settings
from vaelab.errors import InputError, unknown_name

if TYPE_CHECKING:
    import pandas as pd

    from vaelab.data import ImageCollection, Source

_EXAMPLES = """\
examples:
  vaelab data list                                  kinds of sources, sets to fetch, collections to generate
  vaelab data info my_folder/                       what is in it, and what cannot be used, with the reason
  vaelab data info my_folder/ --size 64,64 --crop 200,200 --channel-pattern '_(?P<channel>w\\d)'
  vaelab data info my_folder/ --help                its flags: how such a path can be read
  vaelab data download mnist --to mnist/            checked against the published checksums
  vaelab data download mnist --from other/folder    the same from a mirror or a local folder
  vaelab data synthesize cells -o cells.npz --num-images 10000
  vaelab data synthesize rosettes --help            its settings"""


def add(commands) -> None:
    """Declares the command."""
    _declare(commands.add_parser("data", help="list, look at, fetch or generate images"))


def run(argv: list[str]) -> int:
    """Does it, from the arguments after the command's name."""
    parser = Parser(prog="vaelab data")
    own, settings = split_settings(argv, _declare(parser))
    if not argv:
        parser.print_help()
        return 0
    if not argv[0].startswith("-") and argv[0] not in _ACTIONS:
        raise unknown_name("the action", argv[0], _ACTIONS)
    args = parser.parse_args(own)
    if args.action in _WITH_SETTINGS and args.what is None:
        if not args.help:
            raise InputError(f"vaelab data {args.action}", "be told of what", "nothing")
        args.parser.print_help()
        return 0
    if settings and args.action not in _WITH_SETTINGS:
        raise unknown_name(f"--{settings[0][0]}", settings[0][0], ["quiet", "to", "from"])
    return _ACTIONS[args.action](args, settings)


def _declare(parser) -> set[str]:
    """Declares the arguments, and gives the flags."""
    parser.description, parser.epilog = "List, look at, fetch or generate images.", _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", dest="action", title="actions", required=True)
    actions.add_parser("list", help="what there is")
    info = actions.add_parser("info", help="what lies in a folder or file", add_help=False)
    info.add_argument("what", metavar="PATH", nargs="?")
    info.add_argument("--strict", action="store_true", help="refuse images among which one is broken")
    fetch = actions.add_parser("download", help="fetch a known set")
    fetch.add_argument("name", metavar="NAME")
    fetch.add_argument("--to", metavar="FOLDER", help="where to [vaelab's cache]")
    fetch.add_argument(
        "--from", dest="address", metavar="ADDRESS|FOLDER", help="a mirror, or a folder with the same files"
    )
    make = actions.add_parser("synthesize", help="generate a collection with known truth", add_help=False)
    make.add_argument("what", metavar="NAME", nargs="?")
    make.add_argument("-o", "--output", metavar="FILE.npz", help="where to write it [NAME.npz]")
    for action in (info, make):
        action.add_argument("-h", "--help", action="store_true", help="this; after PATH or NAME: every setting of it")
        action.set_defaults(parser=action)
    for action in (info, fetch, make):
        action.add_argument("--quiet", action="store_true", help="no progress bar")
    return {flag for action in (parser, *actions.choices.values()) for flag in action._option_string_actions}


def _list(args, settings: list[tuple[str, str]]) -> int:
    from vaelab.catalogue import members
    from vaelab.data import Source
    from vaelab.data.download import KNOWN

    generated = _generated()
    print("Generated or built in (vaelab data synthesize NAME, --data.source NAME):")
    _print_lines({name: cls.__doc__ for name, cls in generated.items()})
    print("\nTo fetch (vaelab data download NAME):")
    _print_lines({name: known.about for name, known in KNOWN.items()})
    print("\nRead from files (--data PATH finds the kind out; --data.source NAME sets it):")
    _print_lines({name: cls.__doc__ for name, cls in members(Source).items() if name not in generated})
    return 0


def _info(args, settings: list[tuple[str, str]]) -> int:
    from vaelab.data import open_source

    source = _with_flags(open_source(args.what), settings, ("quiet", "strict"))
    if args.help:
        return _help(source)
    collection = source.load(strict=args.strict, progress=not args.quiet)
    print(collection)
    _print_channels(collection)
    _print_table(collection)
    if collection.left_out:
        print(f"\nLeft out: {len(collection.left_out):,}")
        for file, reason in collection.left_out[:20]:
            print(f"  {file}: {reason}")
        if len(collection.left_out) > 20:
            print(f"  and {len(collection.left_out) - 20:,} more")
    return 0


def _download(args, settings: list[tuple[str, str]]) -> int:
    from vaelab.data.download import download

    print(download(args.name, args.to, address=args.address, progress=not args.quiet))
    return 0


def _synthesize(args, settings: list[tuple[str, str]]) -> int:
    from pathlib import Path

    from vaelab.data.sources.npz import save_npz

    sources = _generated()
    name = args.what.replace("-", "_")
    if name not in sources:
        raise unknown_name("the collection", args.what, sources)
    source = _with_flags(sources[name](), settings, ("quiet", "output"))
    if args.help:
        return _help(source)
    target = Path(args.output or f"{name}.npz")
    if target.suffix != ".npz":
        raise InputError("--output", "end in .npz", repr(str(target)))
    if target.is_dir() or not target.parent.is_dir():
        raise InputError("--output", "be a file in a folder that is there", repr(str(target)))
    collection = source.load(progress=not args.quiet)
    save_npz(collection, target)
    print(f"{target}: {collection}")
    return 0


def _with_flags(source: Source, settings: list[tuple[str, str]], own: Sequence[str]) -> Source:
    """The source with fields set by flags of their names."""
    from vaelab.settings.fields import field_types
    from vaelab.settings.text import override

    known = [name.replace("_", "-") for name in field_types(type(source)) if name != "path"]
    for name, _ in settings:
        if name.replace("_", "-") not in known:
            raise unknown_name(f"--{name}", name, [*own, "help", *known])
    try:
        return override(source, settings)
    except InputError as error:
        raise InputError(f"--{error.what.replace('_', '-')}", error.should, error.got, error.mend) from None


def _help(source: Source) -> int:
    from vaelab.catalogue import name_of
    from vaelab.cli._settings import settings_help

    print(f"{name_of(source)}: every setting, with its value here\n\n{settings_help(source)}")
    return 0


_WITH_SETTINGS = ("info", "synthesize")
_ACTIONS = {"list": _list, "info": _info, "download": _download, "synthesize": _synthesize}


def _generated() -> dict[str, type[Source]]:
    """The sources that need no file."""
    from vaelab.catalogue import members
    from vaelab.data import Source

    return {name: cls for name, cls in members(Source).items() if not cls.opens}


def _print_lines(lines: dict[str, str | None]) -> None:
    for name, text in lines.items():
        print(f"  {name.replace('_', '-'):<12}{(text or '').splitlines()[0]}")


def _print_channels(collection: ImageCollection) -> None:
    import numpy as np

    from vaelab.data.stored import read

    rows = np.unique(np.linspace(0, len(collection) - 1, min(len(collection), 2000)).astype(int))
    print(f"\nPixels, from {len(rows):,} images:")
    print(f"  {'channel':<16}{'lowest':>10}{'median':>10}{'mean':>10}{'highest':>10}")
    some = read(collection.images, rows)
    for i, name in enumerate(collection.channels):
        x = some[:, i]
        print(
            f"  {name:<16}"
            + "".join(f"{float(value):>10.5g}" for value in (x.min(), np.median(x), x.mean(dtype=np.float64), x.max()))
        )


def _print_table(collection: ImageCollection) -> None:
    if not len(collection.table.columns):
        return
    print("\nTable:")
    for name, column in collection.table.items():
        missing = int(column.isna().sum())
        gaps = f", {missing:,} missing" if missing else ""
        factor = ", a factor" if name in collection.factors else ""
        print(f"  {name!s:<16}{column.nunique():,} values{gaps}{factor}{_values(column)}")


def _values(column: pd.Series) -> str:
    """The commonest values, where values come more than once; else from where to where numbers go."""
    counts = column.value_counts()
    if len(counts) <= min(100, len(column) / 2):
        return ": " + ", ".join(f"{_short(value)} ({count:,})" for value, count in counts.head(4).items())
    return f": {_short(column.min())} to {_short(column.max())}" if column.dtype.kind in "uif" else ""


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
