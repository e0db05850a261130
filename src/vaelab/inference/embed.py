"""From images to codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from vaelab.data.rows import Rows
from vaelab.errors import InputError
from vaelab.inference.batches import ImageBatches, Trained, batches, opened
from vaelab.models import Model, evaluating

_ENOUGH_IMAGES = 10_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Embedding:
    """The posterior of each image: where its code lies, and how surely."""

    loc: np.ndarray
    """(image, latent): the posterior's mean."""
    scale: np.ndarray
    """(image, latent): its standard deviation."""

    def __post_init__(self):
        if self.loc.ndim != 2 or self.loc.shape != self.scale.shape:
            raise InputError(
                "embedding", "have loc and scale of one shape (image, latent)", (self.loc.shape, self.scale.shape)
            )

    def __len__(self) -> int:
        return len(self.loc)

    @property
    def latent_dim(self) -> int:
        """Latents per image."""
        return self.loc.shape[1]

    def __repr__(self) -> str:
        return f"<Embedding: {len(self):,} images, {self.latent_dim} latents>"

    def _repr_html_(self) -> str:
        return f"{self!r}".replace("<", "&lt;") + self.table().head().to_html(float_format="%.3g")

    def part(self, rows: slice) -> Embedding:
        """The posteriors of some of the images, not copied."""
        return Embedding(loc=self.loc[rows], scale=self.scale[rows])

    def table(self) -> pd.DataFrame:
        """One row per image; columns z0, z1, ... (means), then z0_scale, z1_scale, ...

        >>> Embedding(loc=np.zeros((1, 2)), scale=np.ones((1, 2))).table().columns.tolist()
        ['z0', 'z1', 'z0_scale', 'z1_scale']
        """
        means = {f"z{i}": self.loc[:, i] for i in range(self.latent_dim)}
        scales = {f"z{i}_scale": self.scale[:, i] for i in range(self.latent_dim)}
        return pd.DataFrame(means | scales)

    def aggregate_quantile(self, probability: float) -> np.ndarray:
        """(latent,): below which value that share of the aggregate posterior lies, for each latent.

            mean over images of Phi((value - loc) / scale) = probability

        Solved by bisection, to 1e-9 of the range; Gaussian posteriors. From 10,000 evenly spaced images at most.

        Args:
            probability: Between 0 and 1.

        >>> one = Embedding(loc=np.array([[3.0]]), scale=np.array([[2.0]]))
        >>> one.aggregate_quantile(0.975).round(4).tolist()
        [6.9199]
        """
        rows = np.unique(np.linspace(0, len(self) - 1, min(len(self), _ENOUGH_IMAGES)).round().astype(int))
        loc, scale = self.loc[rows].astype(np.float64), self.scale[rows].astype(np.float64)
        low, high = (loc - 9 * scale).min(0), (loc + 9 * scale).max(0)
        for _ in range(32):
            middle = (low + high) / 2
            below = ndtr((middle - loc) / scale).mean(0) < probability
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2


def embed(model: Model | Trained, images: ImageBatches | Rows | None = None, batch_size: int = 256) -> Embedding:
    """The posterior q(z|x) of each image.

    Args:
        model: The model, or a run.
        images: In [0, 1]; a tensor, an array or a stream of batches. Of a run also row numbers, a mask, a slice or the
            name of a part such as ``"test"``; left out, all its images; and an array of pixels as the run's are stored.
        batch_size: Images that go through the network at once.

    Raises:
        InputError: There are no images, or they are not such as the model takes.

    >>> import torch
    >>> from vaelab.models import VAEConfig
    >>> embed(VAEConfig(latent_dim=2).build((1, 8, 8)), torch.rand(5, 1, 8, 8)).loc.shape
    (5, 2)
    """
    model, images = opened(model, images)
    parts = list(posteriors(model, images, batch_size))
    return Embedding(loc=np.concatenate([p.loc for p in parts]), scale=np.concatenate([p.scale for p in parts]))


def posteriors(model: Model, images: ImageBatches, batch_size: int = 256) -> Iterator[Embedding]:
    """The posterior q(z|x) of each image, batch by batch.

    Args:
        model: The model.
        images: In [0, 1].
        batch_size: Images that go through the network at once.

    Raises:
        InputError: There are no images, or they are not such as the model takes.
    """
    with evaluating(model):
        for given, x in batches(model, images, batch_size):
            q = given.encode(x)
            yield Embedding(loc=q.mean.cpu().numpy(), scale=q.stddev.cpu().numpy())
