"""`vaelab data pack`: images of any source into a few large files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from vaelab.cli._notes import say, say_reading
from vaelab.cli._options import Argument, Flag, Reading
from vaelab.errors import InputError
from vaelab.settings.ranges import AtLeast1, PathText

if TYPE_CHECKING:
    from vaelab.data import Source

EXAMPLES = """\
examples:
  vaelab data pack my_folder/ -o shards/            then: vaelab train images --data shards/
  vaelab data pack wells/ -o shards/ --channel-pattern "_(?P<channel>w\\d)" --size 64,64
  vaelab data pack my_folder/ --help                in what other ways it can be read

Pixels, table and names stay exactly as the source gives them. What a kill or a full disk interrupted goes on when the
same command is given again: whole shards are compared with the images and kept. The folder is a source like the others,
for every command. `vaelab data check shards/` reads all of it and compares checksums."""


@dataclass(frozen=True, kw_only=True)
class Options(Reading):
    """Pack images into a few large files, for collections of millions."""

    path: Annotated[PathText, Argument("PATH")] = ""
    """A folder, CSV, TIFF, npz, npy or IDX file, or the name of a generated collection."""
    output: Annotated[PathText | None, Flag("-o", metavar="FOLDER")] = None
    """Where to write: a new or empty folder, or one where the same was interrupted."""
    shard_size: Annotated[AtLeast1, Flag(metavar="MIB")] = 1024
    """MiB of pixels in a file at most."""
    strict: bool = False
    """Refuse images among which one is broken."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.data.opening import anchored
    from vaelab.data.packing import pack
    from vaelab.data.shards import read_index

    source = _source(options)
    if options.output is None:
        raise InputError("--output", "be given", "nothing")
    with options.naming():
        collection = source.load(strict=options.strict, progress=not options.quiet)
    folder, origin = Path(options.output), str(anchored(source))
    shard_bytes = options.shard_size << 20
    kept = pack(collection, folder, shard_bytes=shard_bytes, origin=origin, progress=not options.quiet)
    say_reading(collection)
    if kept:
        say(f"{kept:,} shard{'s were' if kept > 1 else ' was'} there already, compared with the images and kept")
    count = read_index(folder)[0].num_shards
    print(f"{folder}: {count:,} shard{'s' if count > 1 else ''}, {collection}")
    return 0


def help_on(options: Options) -> str:
    """Every setting of the source that opens the path."""
    from vaelab.settings.help import settings_help

    if not options.path:
        return ""
    return f"\n{options.path}: every setting, with its value here\n\n{settings_help(_source(options))}"


def _source(options: Options) -> Source:
    from vaelab.cli.data._generated import generated
    from vaelab.data import open_source
    from vaelab.settings.text import override

    if not options.path:
        raise InputError("PATH", "be given", "nothing")
    known = generated().get(options.path.replace("-", "_"))
    with options.naming():
        source = known() if known and not os.path.exists(options.path) else open_source(options.path)
        return override(source, options.reading())
