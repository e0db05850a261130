"""`vaelab draw`: one part of a report as a picture."""

from __future__ import annotations

_EXAMPLES = """\
examples:
  vaelab draw runs/digits-1 traversal -o traversal.png     also writes traversal.npz, the arrays that were drawn
  vaelab draw runs/cells-1 reconstructions -o first.png --stage first

Parts are those of the report: channels, components, conditions, curves, fit_histogram, plane, rates, reconstructions,
samples, traversal, worst and others; an unknown one is refused with all that there are."""


def add(commands) -> None:
    """Declares the command."""
    parser = commands.add_parser("draw", help="one part of a report as a picture, with its arrays", epilog=_EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("part", metavar="PART", help="the part of the report")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="the picture, ending in .png")
    parser.add_argument("--stage", metavar="STAGE", help="first or second, of a two-stage model [second]")
    add_looking(parser)


def add_looking(parser) -> None:
    """Declares what all commands that look at a run take."""
    parser.add_argument("--num-images", metavar="N", default="none", help="held-out images to measure at most [2000]")
    parser.add_argument("--num-samples", metavar="K", default="none", help="draws per image for ELBO and log p(x) [64]")
    parser.add_argument("--seed", metavar="SEED", default="0", help="of every draw [0]")
    parser.add_argument("--images", metavar="PATH", help="where the images are, if they have moved")
    parser.add_argument("--device", metavar="DEVICE", default="cpu", help="cpu, cuda, or auto: cuda if there [cpu]")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def looking(args) -> dict:
    """These as keyword arguments."""
    from vaelab.settings.text import parse_value

    return {
        "max_images": parse_value(int | None, args.num_images, "--num-images"),
        "num_samples": parse_value(int | None, args.num_samples, "--num-samples"),
        "seed": parse_value(int, args.seed, "--seed"),
        "progress": not args.quiet,
    }


def run(args) -> int:
    """Does it."""
    settings = looking(args)
    from vaelab.report import draw
    from vaelab.runs import load

    trained = load(args.run, images=args.images, device=args.device).at_stage(args.stage)
    print(draw(trained, args.part, args.output, **settings))
    return 0
