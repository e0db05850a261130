"""Pictures while training: what the model makes of held-out images, and what it dreams up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vaelab import files
from vaelab.inference import decode_mean, reconstruct
from vaelab.models import Model
from vaelab.pictures import channel_colours, composite, image_grid, picture_png
from vaelab.training import Batches, State

_COLUMNS = 8


class Snapshots:
    """A listener that writes ``<step>.png``: eight held-out images, their reconstructions, and 32 samples below.

    The images and the samples' latents are the same each time, so that the pictures line up into a film.

    Args:
        folder: Where the pictures go.
        batches: Gives the images: the first of the validation rows, else of the training rows.
        channels: The channels' names, which decide their colours.
        every: Steps between pictures.
    """

    def __init__(self, folder: Path, batches: Batches, channels: tuple[str, ...], every: int):
        rows = batches.validation if len(batches.validation) else batches.train
        self.folder, self.every, self.colours = folder, every, channel_colours(channels)
        self.rows, self.batches = rows[:_COLUMNS], batches
        feed = batches.feed
        self.is_photograph = feed.binarize == "no" and feed.intensity.distorts(channels, str(feed.images.dtype))
        self.x = batches.feed(self.rows).clone()
        folder.mkdir(exist_ok=True)

    def __call__(self, state: State) -> None:
        """Draws if it is time, without touching training's random numbers."""
        if state.step % self.every and state.step != state.num_steps:
            return
        assert isinstance(state.model, Model)
        model = self.batches.given(state.model, self.rows)
        noise = torch.randn(4 * _COLUMNS, model.latent_dim, generator=torch.Generator().manual_seed(0))
        samples = decode_mean(model, noise.to(self.x.device))
        tiles = [
            composite(self._shown(images), self.colours) for images in (self.x, reconstruct(model, self.x), samples)
        ]
        picture = picture_png(image_grid(np.concatenate(tiles), len(self.x)))
        files.write(self.folder / f"{state.step:08d}.png", picture)

    def _shown(self, images: Tensor | np.ndarray) -> np.ndarray:
        pixels = images.cpu().numpy() if isinstance(images, Tensor) else images
        feed = self.batches.feed
        return feed.intensity.as_photograph(pixels, str(feed.images.dtype)) if self.is_photograph else pixels
