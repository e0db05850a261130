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
        model: The model, or a run; given conditions, of each code, or of as many as come again and again.
        z: Codes, on the model's device.
        batch_size: Codes that go through the network at once.

    Returns:
        (image, channel, height, width).
    """
    model = model_of(model)
    conditions = model.conditions_of(len(z))
    given = model if conditions is None else model.given(conditions)
    with evaluating(model):
        starts = range(0, len(z), batch_size)
        pieces = zip(starts, torch.split(z, batch_size), strict=True)
        return np.concatenate([given.part(i, i + len(some)).decode(some).mean.cpu().numpy() for i, some in pieces])
