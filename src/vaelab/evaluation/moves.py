"""How far images move when one latent of their code does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.inference import Embedding, images_at_once, operations
from vaelab.inference.moved import decode_ends, ends_along, given_rows
from vaelab.models import Model, device_of

NAME = "latent_moves"
"""By which metrics ask for what `latent_moves` gives."""
MOST_IMAGES, FEWEST_IMAGES = 64, 6
"""Images of which the codes are moved; where fewer are affordable than the last, none are unless they are asked for."""
AFFORDABLE = 1e11
"""Floating-point operations of the decoder that it may cost, a few seconds on one core; on a GPU, 50 times as many."""


def affordable_images(model: Model, num_latents: int | None = None) -> int:
    """Of how many images codes may be moved along so many latents (left out: all), at most 64.

    Args:
        model: Given conditions, if it takes any.
        num_latents: How many are moved.
    """
    faster = 1 if device_of(model).type == "cpu" else 50
    cost = 2 * (num_latents or model.latent_dim) * operations(given_rows(model, np.zeros(1, int)))
    return int(min(MOST_IMAGES, faster * AFFORDABLE // cost)) if cost else MOST_IMAGES


def affordable(model: Model) -> bool:
    """Whether it is cheap enough to be done unasked."""
    return affordable_images(model) >= FEWEST_IMAGES


def latent_moves(
    model: Model, embedding: Embedding, latents: Sequence[int] | None = None, *, seed: int = 0
) -> np.ndarray:
    """(drawn image, latent, channel): how far each latent moves the image, as root mean square over pixels.

        sqrt(mean over pixels of (x at the upper end - x at the lower end)^2),  1 is from black to white

    The latent is put at both ends of the central 95 % of its aggregate posterior, the image's other latents stay where
    they are, and both codes are decoded. It is done for a random draw of images: 64, fewer where decoding is dear.

    Args:
        model: Given the conditions of the images, if it takes any.
        embedding: The posteriors of the images; all of them together say where the ends are.
        latents: Which are moved; left out, all.
        seed: Of the draw of images.

    Returns:
        Not a number where a code is not finite.
    """
    moved = np.arange(model.latent_dim) if latents is None else np.asarray(latents, int)
    count = max(FEWEST_IMAGES, affordable_images(model, len(moved)))
    rows = np.sort(np.random.default_rng(seed).permutation(len(embedding))[:count])
    found = np.full((len(rows), len(moved), model.image_shape[0]), np.nan)
    if not (np.isfinite(embedding.loc).all() and np.isfinite(embedding.scale).all()):
        return found
    axes = np.eye(model.latent_dim)[moved]
    ends, given = ends_along(embedding, axes), given_rows(model, rows)
    for i, axis in enumerate(axes):
        low, high = decode_ends(given, embedding.loc[rows], axis, ends[i], images_at_once(model.image_shape))
        found[:, i] = np.sqrt(np.square(high - low, dtype=np.float64).mean((-2, -1)))
    return found
