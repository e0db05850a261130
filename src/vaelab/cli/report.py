"""`vaelab report`: one HTML file on a run."""

from __future__ import annotations

_EXAMPLES = """\
example:
  vaelab report runs/digits-1                  writes runs/digits-1/report.html, which needs nothing else to be read

Curves, reconstructions, samples, traversals, the latent space, measures with intervals, worst and best images, settings."""


def add(commands) -> None:
    """Declares the command."""
    parser = commands.add_parser("report", help="one HTML file on a run", epilog=_EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it [RUN/report.html]")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
