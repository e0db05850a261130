"""`vaelab data check`: packed images compared with their checksums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Le

from vaelab.cli._options import Argument, Quiet, naming
from vaelab.errors import InputError
from vaelab.settings.ranges import PathText

EXAMPLES = """\
examples:
  vaelab data check shards/                 reads everything
  vaelab data check shards/ --share 0.01    a hundredth of it, evenly spaced

Whoever opens the folder compares sizes, and whoever reads pixels compares a block of them (some 256 KiB) when it is
first read; this command looks at all of them before anything depends on it."""


@dataclass(frozen=True, kw_only=True)
class Options(Quiet):
    """Compare packed images with their checksums."""

    path: Annotated[PathText, Argument("SHARDS")]
    """A folder that `vaelab data pack` wrote."""
    share: Annotated[float, Gt(0), Le(1)] = 1.0
    """Of the pixels that are read."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.data.shards import ShardedImages, check
    from vaelab.data.sources.shards import ShardsSource

    with naming({"path": "SHARDS"}):
        images = ShardsSource(path=options.path).load().images
    if not isinstance(images, ShardedImages):
        raise InputError("SHARDS", "be a folder of shards", repr(options.path))
    blocks = check(images, options.share, progress=not options.quiet)
    total = sum(map(len, images.sums))
    read = "everything is" if blocks == total else f"{blocks:,} of {total:,} blocks are"
    shards = f"{len(images.shards):,} shard{'s' if len(images.shards) > 1 else ''}"
    print(f"{options.path}: {len(images):,} images in {shards}, {read} as packed")
    return 0
