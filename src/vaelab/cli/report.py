"""`vaelab report`: one HTML file on a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from vaelab.cli._options import Flag, Looking, naming
from vaelab.settings.ranges import PathText

EXAMPLES = """\
example:
  vaelab report runs/digits-1                  writes runs/digits-1/report.html, which needs nothing else to be read

Curves, reconstructions, samples, traversals, the latent space, measures with intervals, the worst and the best images,
and the settings. `vaelab draw` makes a picture of one of them."""


@dataclass(frozen=True, kw_only=True)
class Options(Looking):
    """One HTML file on a run."""

    output: Annotated[PathText | None, Flag("-o", metavar="FILE")] = None
    """Where to write it; left out: RUN/report.html."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.report import write_report

    with naming({"label": "--label"}):
        print(write_report(options.load(), options.output, **options.looking()))
    return 0
