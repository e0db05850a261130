"""`vaelab beta`: what weight of the rate another code's scaling amounts to."""

from __future__ import annotations

_EXAMPLES = """\
examples:
  vaelab beta --num-pixels 784                 a code that averages cross entropy over the pixels of an image
  vaelab beta --num-pixels 12288 --nats-per-unit 0.5 --rate-weight 0.001

In vaelab every term is in nats per image, so a weight of 1 is the ELBO. Put what is printed here into
--objective.rate-weight, and the two codes minimise the same."""


def add(commands) -> None:
    """Declares the command."""
    parser = commands.add_parser("beta", help="the effective beta of another code's scaling", epilog=_EXAMPLES)
    parser.add_argument(
        "--rate-weight", metavar="W", default="1", help="the weight that the code gives its KL term [1]"
    )
    parser.add_argument("--num-pixels", metavar="N", default="784", help="pixels times channels of an image [784]")
    parser.add_argument("--latent-dim", metavar="N", default="10", help="latents [10]")
    parser.add_argument("--batch-size", metavar="N", default="64", help="images in a batch [64]")
    for name, what, default in (
        ("distortion-over-pixels", "its reconstruction error over the pixels of an image", "mean"),
        ("rate-over-latents", "the KL over the latents", "sum"),
        ("distortion-over-batch", "the reconstruction error over the batch", "mean"),
        ("rate-over-batch", "the KL over the batch", "mean"),
    ):
        parser.add_argument(f"--{name}", metavar="sum|mean", default=default, help=f"how it reduces {what} [{default}]")
    parser.add_argument(
        "--nats-per-unit",
        metavar="NATS",
        default="1",
        help="nats in one unit of a pixel's error: 1 for cross entropy; 0.5 for the squared error at scale 1 [1]",
    )


def run(args) -> int:
    """Does it."""
    from typing import get_type_hints

    from vaelab.objectives import effective_beta
    from vaelab.settings.text import parse_value

    kinds = get_type_hints(effective_beta)
    kinds.pop("return")
    values = {
        name: parse_value(kind, getattr(args, name), f"--{name.replace('_', '-')}") for name, kind in kinds.items()
    }
    print(f"{effective_beta(**values):.6g}")
    return 0
