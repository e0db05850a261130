"""The images of the speed comparisons, made once and written as PNG files or one array."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from vaelab.catalogue import find
from vaelab.data import Source


def make(kind: str, num_images: int) -> np.ndarray:
    """So many images of a kind, (image, channel, height, width) uint8.

    Args:
        kind: ``sprites`` (64x64x1), ``cells_synthetic`` (64x64x3), ``rosettes`` (256x256x1) or ``digits`` (28x28x1).
        num_images: How many.
    """
    source = find(Source, kind)
    if kind != "digits":
        return np.asarray(source(num_images=num_images).load().images)
    small = source().load().images
    large = [np.asarray(Image.fromarray(image[0]).resize((28, 28), Image.Resampling.BILINEAR))[None] for image in small]
    return np.stack(large)[np.arange(num_images) % len(large)]


def write_png(make_images: Callable[[], np.ndarray], folder: Path) -> None:
    """One PNG file per image; nothing where the folder is there already."""
    if folder.exists():
        return
    folder.mkdir(parents=True)
    for number, image in enumerate(make_images()):
        pixels = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
        Image.fromarray(pixels).save(folder / f"{number:05d}.png")
