"""`vaelab data info`: what lies in a folder or file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from vaelab.cli._options import Argument, Reading
from vaelab.errors import InputError, printable
from vaelab.settings.ranges import PathText

if TYPE_CHECKING:
    import pandas as pd

    from vaelab.data import ImageCollection, Source

EXAMPLES = """\
examples:
  vaelab data info my_folder/                       what is in it, and what cannot be used, with the reason
  vaelab data info my_folder/ --size 64,64 --crop 200,200
  vaelab data info my_folder/ --channel-pattern "_(?P<channel>w\\d)"
  vaelab data info my_folder/ --help                in what other ways it can be read"""

MOST_COLUMNS = 50
"""So many columns of the table are shown."""


@dataclass(frozen=True, kw_only=True)
class Options(Reading):
    """What lies in a folder or file."""

    path: Annotated[PathText, Argument("PATH")] = ""
    """A folder, CSV, TIFF, npz, npy or IDX file."""
    strict: bool = False
    """Refuse images among which one is broken."""


def run(options: Options) -> int:
    """Does it."""
    source = _source(options)
    with options.naming():
        collection = source.load(strict=options.strict, progress=not options.quiet)
    print(printable(repr(collection)))
    _print_channels(collection)
    _print_table(collection)
    for note in collection.notes:
        print(f"\nNote: {printable(note)}.")
    if collection.left_out:
        print(f"\nLeft out: {len(collection.left_out):,}")
        for file, reason in collection.left_out[:20]:
            print(f"  {printable(f'{file}: {reason}')}")
        if len(collection.left_out) > 20:
            print(f"  and {len(collection.left_out) - 20:,} more")
    return 0


def help_on(options: Options) -> str:
    """Every setting of the source that opens the path."""
    from vaelab.settings.help import settings_help

    return (
        f"\n{options.path}: every setting, with its value here\n\n{settings_help(_source(options))}"
        if options.path
        else ""
    )


def _source(options: Options) -> Source:
    from vaelab.data import open_source
    from vaelab.settings.text import override

    if not options.path:
        raise InputError("PATH", "be given", "nothing")
    with options.naming():
        return override(open_source(options.path), options.reading())


def _print_channels(collection: ImageCollection) -> None:
    import numpy as np

    from vaelab.data.stored import read

    rows = np.unique(np.linspace(0, len(collection) - 1, min(len(collection), 2000)).astype(int))
    some = read(collection.images, rows)
    print(f"\nPixels, from {len(rows):,} images:")
    print(f"  {'channel':<16}{'lowest':>10}{'median':>10}{'mean':>10}{'highest':>10}")
    for i, name in enumerate(collection.channels):
        x = some[:, i][np.isfinite(some[:, i])]
        if not x.size:
            raise InputError("the images", "hold finite pixel values", f"none in channel {name!r}")
        print(
            f"  {name:<16}"
            + "".join(f"{float(value):>10.5g}" for value in (x.min(), np.median(x), x.mean(dtype=np.float64), x.max()))
        )
    if bad := int(np.count_nonzero(~np.isfinite(some))):
        print(f"  {bad:,} values are NaN or infinite, with which training is refused.")


def _print_table(collection: ImageCollection) -> None:
    if not len(collection.table.columns):
        return
    print("\nTable:")
    names = [printable(str(name)) for name in collection.table.columns[:MOST_COLUMNS]]
    width = min(40, max(16, *(len(name) + 2 for name in names)))
    for shown, (name, column) in zip(names, collection.table.items(), strict=False):
        missing = int(column.isna().sum())
        gaps = f", {missing:,} missing" if missing else ""
        factor = ", a factor" if name in collection.factors else ""
        print(f"  {shown:<{width}}{column.nunique():,} values{gaps}{factor}{printable(_values(column))}")
    if len(names) < len(collection.table.columns):
        print(f"  and {len(collection.table.columns) - len(names):,} more columns")


def _values(column: pd.Series) -> str:
    """The commonest values, where values come more than once; else from where to where numbers go."""
    counts = column.value_counts()
    if len(counts) <= min(100, len(column) / 2):
        return ": " + ", ".join(f"{_short(value)} ({count:,})" for value, count in counts.head(4).items())
    return f": {_short(column.min())} to {_short(column.max())}" if column.dtype.kind in "uif" else ""


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
