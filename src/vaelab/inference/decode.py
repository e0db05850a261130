"""From codes to images."""

from __future__ import annotations

import numpy as np
import torch

from vaelab.inference.batches import Trained, model_of
from vaelab.models import Model, evaluating
from vaelab.shapes import Latents


def decode_mean(model: Model | Trained, z: Latents, batch_size: int = 256) -> np.ndarray:
    """The mean of p(x|z) of each code.

    Args:
        model: The model, or a run.
        z: Codes, on the model's device.
        batch_size: Codes that go through the network at once.

    Returns:
        (image, channel, height, width).
    """
    model = model_of(model)
    with evaluating(model):
        return np.concatenate([model.decode(part).mean.cpu().numpy() for part in torch.split(z, batch_size)])
