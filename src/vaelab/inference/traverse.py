"""One latent moved, the others held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vaelab.data.rows import Rows
from vaelab.errors import InputError
from vaelab.inference.batches import ImageBatches, Trained, model_of, opened
from vaelab.inference.decode import decode_mean
from vaelab.inference.embed import Embedding, embed
from vaelab.models import Model, device_of

OneImage = Float[Tensor, "anchor channel height width"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Traversal:
    """What each latent does to the image."""

    latents: np.ndarray
    """(walk,): which latent each walk moves."""
    values: np.ndarray
    """(walk, step): where it puts that latent."""
    images: np.ndarray
    """(walk, step, channel, height, width): decoded on the way, all channels together."""
    held: np.ndarray
    """(latent,): where the others stay."""
    coverage: float
    """The central share of the aggregate posterior that each walk crosses."""

    def channel(self, index: int) -> np.ndarray:
        """(walk, step, height, width): the walks in one channel alone."""
        return self.images[:, :, index]

    def channel_change(self) -> np.ndarray:
        """(walk, channel): how far each latent moves each channel, in units of intensity.

        mean over pixels of (largest - smallest value on the walk)
        """
        return np.ptp(self.images, axis=1).mean(axis=(-2, -1))


def traverse(
    model: Model | Trained,
    images: ImageBatches | Rows | Embedding | None = None,
    num_steps: int = 15,
    coverage: float = 0.95,
    *,
    anchor: OneImage | None = None,
    latents: Sequence[int] | None = None,
    batch_size: int = 256,
) -> Traversal:
    """Walks along each latent through the middle of the aggregate posterior, in even steps, both ends included.

        from the (1 - coverage)/2 to the (1 + coverage)/2 quantile of  mean over images of q(z|x)

    Args:
        model: The model, or a run.
        images: Those whose posteriors make up the aggregate, as in `embed`; or their embedding.
        num_steps: Images per walk; 2 or more.
        coverage: The share of the aggregate posterior between the two ends; above 0, below 1.
        anchor: One image at whose code the other latents stay; None: at the mean of all codes.
        latents: Which to walk along; None: all.
        batch_size: Images that go through the networks at once.

    Raises:
        InputError: An argument is out of range.

    >>> from vaelab.models import VAEConfig
    >>> walks = traverse(VAEConfig(latent_dim=2).build((3, 8, 8)), torch.rand(20, 3, 8, 8))
    >>> walks.images.shape, walks.channel_change().shape
    ((2, 15, 3, 8, 8), (2, 3))
    """
    if num_steps < 2:
        raise InputError("traverse.num_steps", "be at least 2", num_steps, "The two ends are counted.")
    if not 0 < coverage < 1:
        raise InputError("traverse.coverage", "be above 0 and below 1", coverage, "0.95 is usual.")
    if anchor is not None and len(anchor) != 1:
        raise InputError("traverse.anchor", "be one image", len(anchor))
    if isinstance(images, Embedding):
        model, embedding = model_of(model), images
    else:
        model, pictures = opened(model, images)
        embedding = embed(model, pictures, batch_size)
    walked = np.arange(model.latent_dim) if latents is None else np.asarray(latents, dtype=int)
    if embedding.latent_dim != model.latent_dim:
        raise InputError("traverse.images", f"be an embedding of {model.latent_dim} latents", embedding.latent_dim)
    if not len(walked) or not ((walked >= 0) & (walked < model.latent_dim)).all():
        raise InputError("traverse.latents", f"be numbers from 0 to {model.latent_dim - 1}", walked.tolist())
    held = embedding.loc.mean(0) if anchor is None else embed(model, anchor).loc[0]
    low, high = (embedding.aggregate_quantile((1 + side * coverage) / 2)[walked] for side in (-1, 1))
    values = np.linspace(low, high, num_steps, axis=1).astype(held.dtype)
    z = np.broadcast_to(held, (*values.shape, len(held))).copy()
    z[np.arange(len(walked)), :, walked] = values
    decoded = decode_mean(model, torch.from_numpy(z).flatten(0, 1).to(device_of(model)), batch_size)
    return Traversal(
        latents=walked,
        values=values,
        images=decoded.reshape(*values.shape, *decoded.shape[1:]),
        held=held,
        coverage=coverage,
    )
