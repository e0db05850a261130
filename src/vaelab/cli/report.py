"""`vaelab report`: one HTML file on a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from vaelab.cli._options import Flag, OnRun
from vaelab.settings.ranges import AtLeast1, PathText, Seed

EXAMPLES = """\
example:
  vaelab report runs/digits-1                  writes runs/digits-1/report.html, which needs nothing else to be read

Curves, reconstructions, samples, traversals, the latent space, measures with intervals, the worst and the best images,
and the settings."""


@dataclass(frozen=True, kw_only=True)
class Options(OnRun):
    """One HTML file on a run."""

    output: Annotated[PathText | None, Flag("-o", metavar="FILE")] = None
    """Where to write it; left out: RUN/report.html."""
    num_images: AtLeast1 | None = None
    """Held-out images to measure at most; left out: 2,000, fewer where they are large."""
    num_samples: AtLeast1 | None = None
    """Draws per image for ELBO and log p(x); left out: 64, fewer where images are large."""
    seed: Seed = 0
    """Of every draw."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.report import write_report

    settings = {"max_images": options.num_images, "num_samples": options.num_samples, "seed": options.seed}
    print(write_report(options.load(), options.output, **settings, progress=not options.quiet))
    return 0
