"""`vaelab data download`: a known set of images, fetched and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from vaelab.cli._options import Argument, Flag, Quiet
from vaelab.settings.ranges import PathText

EXAMPLES = """\
examples:
  vaelab data download mnist --to mnist/            checked against the published checksums
  vaelab data download mnist --from other/folder    the same from a mirror or a local folder"""


@dataclass(frozen=True, kw_only=True)
class Options(Quiet):
    """Fetch a known set."""

    name: Annotated[str, Argument("NAME")]
    """One of those that `vaelab data list` names."""
    to: Annotated[PathText | None, Flag(metavar="FOLDER")] = None
    """Where to; left out: vaelab's cache."""
    address: Annotated[str | None, Flag(name="--from", metavar="ADDRESS|FOLDER")] = None
    """A mirror, or a folder with the same files."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.data.download import download

    print(download(options.name, options.to, address=options.address, progress=not options.quiet))
    return 0
