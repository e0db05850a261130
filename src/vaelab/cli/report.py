"""`vaelab report`: one HTML file on a run."""

from __future__ import annotations

_EXAMPLES = """\
example:
  vaelab report runs/digits-1                  writes runs/digits-1/report.html, which needs nothing else to be read

Curves, reconstructions, samples, traversals, the latent space, measures with intervals, the worst and the best images,
and the settings."""


def add(commands) -> None:
    """Declares the command."""
    parser = commands.add_parser("report", help="one HTML file on a run", epilog=_EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it [RUN/report.html]")
    parser.add_argument("--num-images", metavar="N", default="none", help="held-out images to measure at most [2000]")
    parser.add_argument("--num-samples", metavar="K", default="none", help="draws per image for ELBO and log p(x) [64]")
    parser.add_argument("--seed", metavar="SEED", default="0", help="of every draw [0]")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args) -> int:
    """Does it."""
    from vaelab.settings.text import parse_value

    num_images = parse_value(int | None, args.num_images, "--num-images")
    num_samples = parse_value(int | None, args.num_samples, "--num-samples")
    seed = parse_value(int, args.seed, "--seed")
    from vaelab.report import write_report
    from vaelab.runs import load

    trained = load(args.run)
    settings = {"max_images": num_images, "num_samples": num_samples, "seed": seed}
    print(write_report(trained, args.output, **settings, progress=not args.quiet))
    return 0
