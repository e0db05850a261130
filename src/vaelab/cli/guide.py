"""`vaelab guide`: a finished run trained on toward places that a person chose for a few images."""

from __future__ import annotations

_EXAMPLES = """\
the CSV: image,z0,z1[,delta], a line for each chosen image; image is a row number of the run's images or, where they
come from files, the path in their table; z0, z1, ... is where it is to lie (as `vaelab embed` writes them).

examples:
  vaelab guide runs/digits-1 anchors.csv
  vaelab guide runs/digits-1 anchors.csv --weight 10 --steps 1000 --out runs/mine"""


def add(commands) -> None:
    """Declares the command."""
    parser = commands.add_parser("guide", help="move chosen images of a run to chosen places, in a new run")
    parser.epilog = _EXAMPLES
    parser.add_argument("run", metavar="RUN", help="the run's folder")
    parser.add_argument("anchors", metavar="ANCHORS.csv", help="which images are to lie where")
    parser.add_argument("--out", metavar="RUN", help="the new run's folder [runs/NAME-guided-1, or the first free]")
    parser.add_argument("--weight", metavar="W", default="1", help="of the guidance beside the objective [1]")
    parser.add_argument("--steps", metavar="N", default="500", help="optimiser steps [500]")
    parser.add_argument("--learning-rate", metavar="R", default="1e-4", help="Adam's step size [1e-4]")
    parser.add_argument("--stage", metavar="STAGE", help="first or second, of a two-stage model [second]")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, nothing printed")


def run(args) -> int:
    """Does it."""
    from vaelab.runs import load
    from vaelab.runs.guide import guide, read_anchors
    from vaelab.settings.text import parse_value

    trained = load(args.run)
    meant = trained.at_stage(args.stage)
    guidance = read_anchors(args.anchors, meant, parse_value(float, args.weight, "--weight"))
    done = guide(
        trained,
        guidance,
        args.out,
        stage=args.stage,
        num_steps=parse_value(int, args.steps, "--steps"),
        learning_rate=parse_value(float, args.learning_rate, "--learning-rate"),
        progress=not args.quiet,
    )
    if not args.quiet:
        print(done.anchors.to_string(index=False, float_format="%.3f"))
        others = done.moves.loc[~done.moves.is_anchor, "moved"]
        print(f"The other {len(others):,} images moved {others.median():.3f} (median), {others.max():.3f} (most).")
        print(f"Every image's move: {done.run.folder / 'moves.csv'}")
        print(f"Next: vaelab report {done.run.folder}")
    return 0
