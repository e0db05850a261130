"""The shapes that stand in every signature, in words. Tests check them at run time; users pay nothing."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

Images = Float[Tensor, "image channel height width"]
"""A batch of images, scaled to [0, 1]."""

Latents = Float[Tensor, "image latent"]
"""One point in latent space per image."""

PerImage = Float[Tensor, " image"]
"""One number per image; losses and likelihoods in nats."""
Numbers = Float[Tensor, "image number"]
"""Any numbers, in rows, one row per image."""
Noise = Float[Tensor, "image noise"]
"""Standard normal numbers, all that a step draws, in rows, one row per image."""
Source = Float[Tensor, "image ..."]
"""What an encoder reads, one per image."""
Scalar = Float[Tensor, ""]
"""One number."""
