"""From codes to images."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor, nn

from vaelab.inference.batches import Trained, model_of
from vaelab.models import Model, device_of, evaluating
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


def operations(model: Model) -> int:
    """Floating-point operations of the decoder's layers for one code: two for each weight at each place it works."""
    count, model = 0, copy.deepcopy(model)

    def add(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal count
        worked = inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output
        count += 2 * layer.get_parameter("weight").numel() * math.prod(worked.shape[2:])

    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(add)
    with evaluating(model):
        model.decode(as_codes(model, np.zeros((1, model.latent_dim))))
    return count


def as_codes(model: Model, codes: np.ndarray) -> Latents:
    """The same codes where the model is, in its precision."""
    dtype = next((weights.dtype for weights in model.parameters()), torch.float32)
    return torch.from_numpy(codes).to(device_of(model), dtype)
