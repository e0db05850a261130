"""What weight of the rate another code's scaling amounts to."""

from __future__ import annotations

from typing import Literal

from vaelab.errors import InputError


def effective_beta(
    *,
    rate_weight: float = 1.0,
    num_pixels: int = 784,
    latent_dim: int = 10,
    batch_size: int = 64,
    distortion_over_pixels: Literal["sum", "mean"] = "mean",
    rate_over_latents: Literal["sum", "mean"] = "sum",
    distortion_over_batch: Literal["sum", "mean"] = "mean",
    rate_over_batch: Literal["sum", "mean"] = "mean",
    nats_per_unit: float = 1.0,
) -> float:
    """The beta, in nats per image on both sides, of a loss that sums one term where it averages the other.

        beta = rate_weight * (nats of distortion per unit of the code's) / (nats of rate per unit of the code's)

    Args:
        rate_weight: The weight that the code gives its KL term.
        num_pixels: Pixels times channels of an image.
        latent_dim: Latents.
        batch_size: Images in a batch.
        distortion_over_pixels: How the code reduces its reconstruction error over the pixels of an image.
        rate_over_latents: How it reduces the KL over the latents.
        distortion_over_batch: How it reduces the reconstruction error over the batch.
        rate_over_batch: How it reduces the KL over the batch.
        nats_per_unit: Nats in one unit of a pixel's error: 1 for cross entropy; 1 / (2 scale^2) for the squared error
            of a Gaussian, so 0.5 at scale 1; 1 / scale for the absolute difference of a Laplace.

    A reconstruction averaged over 784 pixels with a KL averaged over a batch of images weighs the KL 784 times:

    >>> effective_beta(num_pixels=784)
    784.0
    >>> effective_beta(num_pixels=784, distortion_over_pixels="sum")
    1.0
    """
    values = {
        "num_pixels": num_pixels,
        "latent_dim": latent_dim,
        "batch_size": batch_size,
        "nats_per_unit": nats_per_unit,
    }
    for name, value in values.items():
        if not 0 < value < float("inf"):
            raise InputError(name, "be positive and finite", value)
    distortion = (num_pixels if distortion_over_pixels == "mean" else 1) * nats_per_unit
    distortion *= batch_size if distortion_over_batch == "mean" else 1
    cost = (latent_dim if rate_over_latents == "mean" else 1) * (batch_size if rate_over_batch == "mean" else 1)
    return float(rate_weight * distortion / cost)
