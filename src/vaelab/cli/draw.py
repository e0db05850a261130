"""`vaelab draw`: one part of a report as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from vaelab.catalogue import names
from vaelab.cli._options import Argument, Flag, Looking, naming
from vaelab.settings.ranges import PathText

EXAMPLES = f"""\
examples:
  vaelab draw runs/digits-1 traversal -o traversal.png     also writes traversal.npz, the arrays that were drawn
  vaelab draw runs/cells-1 reconstructions -o first.png --stage first

A part that is words or tables alone stands only on the page, and is refused.

parts: {", ".join(names("vaelab.report.parts"))}"""


@dataclass(frozen=True, kw_only=True)
class Options(Looking):
    """One part of a report as a picture, with its arrays."""

    part: Annotated[str, Argument("PART")]
    """Which part of the report, such as traversal, samples or curves."""
    output: Annotated[PathText, Flag("-o", metavar="FILE")]
    """The picture, ending in .png; the arrays lie beside it, ending in .npz."""
    stage: str | None = None
    """Of a two-stage model: first or second; left out, the second."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.report import draw

    with naming({"label": "--label"}):
        print(draw(options.load().at_stage(options.stage), options.part, options.output, **options.looking()))
    return 0
