"""From images to codes and back."""

from __future__ import annotations

import numpy as np

from vaelab.data.rows import Rows
from vaelab.inference.batches import ImageBatches, Trained, batches, opened
from vaelab.models import Model, evaluating


def reconstruct(model: Model | Trained, images: ImageBatches | Rows | None = None, batch_size: int = 256) -> np.ndarray:
    """The mean of p(x|z) at the posterior's mean, for each image.

    Args:
        model: The model, or a run.
        images: As in `embed`.
        batch_size: Images that go through the networks at once.

    Returns:
        (image, channel, height, width).

    Raises:
        InputError: There are no images, or they are not such as the model takes.

    >>> import torch
    >>> from vaelab.models import VAEConfig
    >>> reconstruct(VAEConfig(latent_dim=2).build((1, 8, 8)), torch.rand(5, 1, 8, 8)).shape
    (5, 1, 8, 8)
    """
    model, images = opened(model, images)
    with evaluating(model):
        return np.concatenate(
            [m.decode(m.encode(x).mean).mean.cpu().numpy() for m, x in batches(model, images, batch_size)]
        )
