"""How images are put on the page: their size, their colours, and the words on both."""

from __future__ import annotations

from html import escape

import numpy as np

from vaelab.plots import channel_colours, composite, image_grid, shrink
from vaelab.report.evidence import Evidence

PAGE, GAP = 1080, 10
"""CSS pixels: the page's width, and the least gap between tiles."""
HUES = {
    "red": (1, 0, 0),
    "orange": (1, 0.5, 0),
    "yellow": (1, 1, 0),
    "lime": (0.5, 1, 0),
    "green": (0, 1, 0),
    "spring green": (0, 1, 0.5),
    "cyan": (0, 1, 1),
    "sky blue": (0, 0.5, 1),
    "blue": (0, 0, 1),
    "violet": (0.5, 0, 1),
    "magenta": (1, 0, 1),
    "rose": (1, 0, 0.5),
    "white": (1, 1, 1),
}


def scale_for(image_shape: tuple[int, ...], side: int) -> float:
    """CSS pixels per pixel that make an image about `side` wide: a whole number, or one over a whole number.

    >>> scale_for((1, 28, 28), 96), scale_for((1, 256, 256), 96)
    (3, 0.5)
    """
    largest = max(image_shape[-2:])
    return max(1, round(side / largest)) if largest <= 1.5 * side else 1 / -(-largest // int(1.5 * side))


def draw(evidence: Evidence, images: np.ndarray, side: int, channel: int | None = None) -> tuple[np.ndarray, int]:
    """Pixels of small pictures (those larger than `side` by an eighth averaged in blocks), and CSS pixels per pixel.

    Args:
        evidence: Gives colours and brightness.
        images: (image, channel, height, width) in [0, 1].
        side: CSS pixels that an image should take, about.
        channel: One channel alone, in grey; None: all together.
    """
    small, _ = shrink(images, int(1.125 * side))
    return colour(evidence, small, channel), int(scale_for(small.shape, side))


def colour(evidence: Evidence, images: np.ndarray, channel: int | None = None) -> np.ndarray:
    """(image, height, width, 3) uint8: all channels in their colours, or one in grey."""
    if channel is None:
        return composite(images, channel_colours(evidence.channels), white=evidence.white)
    return composite(images[:, channel : channel + 1], channel_colours(("",)), white=evidence.white)


def grid(pixels: np.ndarray, columns: int, scale: float) -> np.ndarray:
    """Tiles in rows, two CSS pixels or one of the images' own pixels apart."""
    return image_grid(pixels, columns, gap=gap_for(scale))


def gap_for(scale: float) -> int:
    """Pixels between tiles."""
    return max(1, round(2 / scale))


def per_row(image_shape: tuple[int, int, int], side: int) -> int:
    """Tiles of about that side in one row of a full page."""
    return max(1, int((PAGE + GAP) // (scale_for(image_shape, side) * image_shape[2] + GAP)))


def scroll(inside: str, label: str) -> str:
    """What may be wider than the page, and then scrolls sideways."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{inside}</div>'


def colour_words(evidence: Evidence) -> str:
    """How pictures are coloured and scaled, in words."""
    top = (
        "white is 1"
        if evidence.white == 1
        else f"full brightness is {evidence.white:.2f} (dark images are shown brighter)"
    )
    scale = f"Black is 0 and {top} in the model's scale: {evidence.stored}. No image is stretched by itself."
    if len(evidence.channels) == 1:
        return scale
    named = ", ".join(
        f"{name} {_hue(c)}" for name, c in zip(evidence.channels, channel_colours(evidence.channels), strict=True)
    )
    return f"Channels are overlaid, the brightest winning at each pixel: {named}. {scale}"


def _hue(colour: np.ndarray) -> str:
    pure = (colour - colour.min()) / np.ptp(colour) if np.ptp(colour) > 0.05 else np.ones(3)
    return min(HUES, key=lambda name: float(((pure - np.array(HUES[name])) ** 2).sum()))
