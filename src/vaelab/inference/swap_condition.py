"""The same image under another condition."""

from __future__ import annotations

import numpy as np

from vaelab.errors import InputError
from vaelab.inference.batches import ImageBatches, batches
from vaelab.models import Model, evaluating


def swap_condition(model: Model, other: Model, images: ImageBatches, batch_size: int = 256) -> np.ndarray:
    """What each image would look like under another condition: its code by its own, drawn under the other.

        x' = E[p(x | z, c')],  z = E[q(z | x, c)]

    Args:
        model: The model, given the images' own conditions c.
        other: The same model, given the conditions c' in their place; one goes for all images.
        images: In [0, 1]; a tensor or a stream of batches.
        batch_size: Images that go through the networks at once.

    Returns:
        (image, channel, height, width).

    Raises:
        InputError: There are no images, or they or their conditions are not such as the model takes.

    *Source*: Sohn et al. 2015 (https://papers.nips.cc/paper/5775).

    >>> import torch
    >>> from vaelab.models import VAEConfig
    >>> vae = VAEConfig(latent_dim=2).build((1, 8, 8), num_conditions=1)
    >>> as_one = vae.given(torch.ones(1, 1))
    >>> swap_condition(vae.given(torch.zeros(5, 1)), as_one, torch.rand(5, 1, 8, 8)).shape
    (5, 1, 8, 8)
    """
    if not model.num_conditions:
        raise InputError("the model", "take conditions", "one that takes none", "Train one with data.condition.")
    drawn, count = [], 0
    with evaluating(model):
        for given, x in batches(model, images, batch_size):
            there = other.part(count, count + len(x))
            drawn.append(there.decode(given.encode(x).mean).mean.cpu().numpy())
            count += len(x)
    return np.concatenate(drawn)
