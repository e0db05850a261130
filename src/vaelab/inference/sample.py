"""New images, from codes that the prior gives."""

from __future__ import annotations

import numpy as np
import torch

from vaelab.errors import InputError
from vaelab.inference.batches import Trained, model_of
from vaelab.models import Model, device_of, evaluating, local_randomness


def sample(
    model: Model | Trained,
    num_images: int,
    seed: int = 0,
    *,
    temperature: float = 1.0,
    draw_pixels: bool = False,
    batch_size: int = 256,
) -> np.ndarray:
    """Images of codes drawn from the prior.

        z = m + temperature * (z' - m),  z' ~ p(z),  m = E[z'];  x = E[x|z], or x ~ p(x|z)

    Args:
        model: The model, or a run.
        num_images: How many; 1 or more.
        seed: The same seed gives the same images.
        temperature: 1 is the prior; below 1 the codes are drawn toward its mean, 0 is the mean itself.
        draw_pixels: Draw the pixels too, instead of showing the mean of p(x|z).
        batch_size: Codes that go through the network at once.

    Returns:
        (image, channel, height, width).

    Raises:
        InputError: num_images or temperature is out of range.

    >>> from vaelab.models import VAEConfig
    >>> sample(VAEConfig(latent_dim=2).build((1, 8, 8)), num_images=3, draw_pixels=True).shape
    (3, 1, 8, 8)
    """
    if num_images < 1:
        raise InputError("sample.num_images", "be at least 1", num_images)
    if not 0 <= temperature < float("inf"):
        raise InputError("sample.temperature", "be 0 or more, and finite", temperature, "1 is the prior itself.")
    model, images = model_of(model), []
    with evaluating(model), local_randomness(seed, device_of(model)):
        z = model.prior.sample(torch.Size([num_images]))
        if temperature != 1:
            z = model.prior.mean + temperature * (z - model.prior.mean)
        for part in z.split(batch_size):
            p = model.decode(part)
            images.append((p.sample() if draw_pixels else p.mean).cpu().numpy())
    return np.concatenate(images)
