"""`vaelab beta`: what weight of the rate another code's scaling amounts to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from vaelab.settings.ranges import AtLeast1, NotNegative, Positive, Settings

EXAMPLES = """\
examples:
  vaelab beta --num-pixels 784                 a code that averages cross entropy over the pixels of an image
  vaelab beta --num-pixels 12288 --nats-per-unit 0.5 --rate-weight 0.001

In vaelab every term is in nats per image, so a weight of 1 is the ELBO. Put what is printed here into
--objective.rate-weight, and the two codes minimise the same."""

Reduction = Literal["sum", "mean"]


@dataclass(frozen=True, kw_only=True)
class Options(Settings):
    """The effective beta of another code's scaling."""

    rate_weight: NotNegative = 1.0
    """The weight that the code gives its KL term."""
    num_pixels: AtLeast1 = 784
    """Pixels times channels of an image."""
    latent_dim: AtLeast1 = 10
    """Latents."""
    batch_size: AtLeast1 = 64
    """Images in a batch."""
    distortion_over_pixels: Reduction = "mean"
    """How it reduces its reconstruction error over the pixels of an image."""
    rate_over_latents: Reduction = "sum"
    """How it reduces the KL over the latents."""
    distortion_over_batch: Reduction = "mean"
    """How it reduces the reconstruction error over the batch."""
    rate_over_batch: Reduction = "mean"
    """How it reduces the KL over the batch."""
    nats_per_unit: Positive = 1.0
    """Nats in one unit of a pixel's error: 1 for cross entropy; 0.5 for the squared error at scale 1."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.objectives import effective_beta

    print(f"{effective_beta(**asdict(options)):.6g}")
    return 0
