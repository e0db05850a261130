"""`vaelab report`: one HTML file on a run."""

from __future__ import annotations

from vaelab.cli.draw import add_looking, looking

_EXAMPLES = """\
example:
  vaelab report runs/digits-1                  writes runs/digits-1/report.html, which needs nothing else to be read

Curves, reconstructions, samples, traversals, the latent space, measures with intervals, the worst and the best images,
and the settings. `vaelab draw` makes a picture of one part alone."""


def add(commands) -> None:
    """Declares the command."""
    parser = commands.add_parser("report", help="one HTML file on a run", epilog=_EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it [RUN/report.html]")
    add_looking(parser)


def run(args) -> int:
    """Does it."""
    settings = looking(args)
    from vaelab.report import write_report
    from vaelab.runs import load

    print(write_report(load(args.run, images=args.images, device=args.device), args.output, **settings))
    return 0
