"""How images are put on a page or a sheet: their size, their colours, and the words on both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vaelab.plots import Tile, channel_colours, composite, image_grid, shrink
from vaelab.report.look import Look, Shade

PAGE, GAP = 1080, 10
"""CSS pixels: the page's width, and the least gap between tiles."""
HUES = {
    "red": (1, 0, 0), "orange": (1, 0.5, 0), "yellow": (1, 1, 0), "lime": (0.5, 1, 0), "green": (0, 1, 0),
    "spring green": (0, 1, 0.5), "cyan": (0, 1, 1), "sky blue": (0, 0.5, 1), "blue": (0, 0, 1), "violet": (0.5, 0, 1),
    "magenta": (1, 0, 1), "rose": (1, 0, 0.5), "white": (1, 1, 1),
}  # fmt: skip


class Picture(NamedTuple):
    """Pixels for a page."""

    pixels: np.ndarray
    """(height, width, 3 or 4) uint8."""
    scale: float
    """CSS pixels that each takes."""

    @property
    def width(self) -> int:
        """CSS pixels."""
        return round(self.pixels.shape[1] * self.scale)

    @property
    def height(self) -> int:
        """CSS pixels."""
        return round(self.pixels.shape[0] * self.scale)


def scale_for(image_shape: Sequence[int], side: int) -> float:
    """CSS pixels per pixel that make an image about `side` wide: a whole number, or one over a whole number.

    >>> scale_for((1, 28, 28), 96), scale_for((1, 256, 256), 96)
    (3, 0.5)
    """
    largest = max(image_shape[-2:])
    return max(1, round(side / largest)) if largest <= 1.5 * side else 1 / -(-largest // int(1.5 * side))


def per_row(image_shape: Sequence[int], side: int) -> int:
    """Tiles of about that side in one row of a full page."""
    return max(1, int((PAGE + GAP) // (scale_for(image_shape, side) * image_shape[2] + GAP)))


def colour(shade: Shade, images: np.ndarray, channel: int | None = None) -> np.ndarray:
    """(image, height, width, 3) uint8: all channels in their colours, or one in grey.

    Args:
        shade: Gives colours and brightness.
        images: (image, channel, height, width) in [0, 1].
        channel: One channel alone, in grey; None: all together.
    """
    if channel is None:
        if shade.is_photograph:
            images = shade.run.intensity.as_photograph(images, shade.run.facts.dtype)
        return composite(images, channel_colours(shade.run.channels), white=shade.white)
    return composite(images[:, channel : channel + 1], channel_colours(("",)), white=shade.white)


def small(look: Look, images: np.ndarray, side: int, channel: int | None = None) -> tuple[np.ndarray, int]:
    """Pixels of small pictures (those larger than `side` by an eighth averaged in blocks), and CSS pixels per pixel."""
    shrunk, _ = shrink(images, int(1.125 * side))
    return colour(look.shade, shrunk, channel), int(scale_for(shrunk.shape, side))


def strip(look: Look, images: np.ndarray, side: int, channel: int | None = None, *, columns: int = 0) -> Picture:
    """Small pictures in rows of so many, or in one: two CSS pixels or one of the images' own pixels apart."""
    pixels, scale = small(look, images, side, channel)
    return Picture(image_grid(pixels, columns or len(pixels), gap=gap_for(scale)), scale)


def gap_for(scale: float) -> int:
    """Pixels between tiles."""
    return max(1, round(2 / scale))


def tile(look: Look, image: np.ndarray, words: str = "", *, side: int = 128, channel: int | None = None) -> Tile:
    """One image of a sheet, about so many pixels wide where it is smaller."""
    pixels, scale = colour(look.shade, image[None], channel)[0], max(1, round(side / max(image.shape[-2:])))
    return Tile(pixels.repeat(scale, 0).repeat(scale, 1), words)


def colour_words(look: Look) -> str:
    """How pictures are coloured and scaled, in words."""
    top = (
        "white is 1"
        if look.shade.white == 1
        else f"full brightness is {look.shade.white:.2f} (dark images are shown brighter)"
    )
    scale = f"Black is 0 and {top} in the model's scale: {stored(look)}. No image is stretched by itself."
    if len(look.channels) == 1:
        return scale
    if look.shade.is_photograph:
        return f"Colours are as stored; the scaling of each channel ({stored(look)}) is undone for display."
    named = ", ".join(
        f"{name} {_hue(c)}" for name, c in zip(look.channels, channel_colours(look.channels), strict=True)
    )
    return f"Channels are overlaid, the brightest winning at each pixel: {named}. {scale}"


def _called(channel: str) -> str:
    return f"channel {channel}:" if channel.isdigit() else channel


def stored(look: Look) -> str:
    """How pixels are stored, and how they were scaled, in words."""
    intensity = look.run.intensity
    ranges = [f"{lo:g} to {hi:g}" for lo, hi in zip(intensity.lo, intensity.hi, strict=True)]
    same = len(set(ranges)) == 1
    named = (
        ranges[0]
        if same
        else "; ".join(f"{_called(name)} {one}" for name, one in zip(look.channels, ranges, strict=True))
    )
    words = f"stored as {look.run.facts.dtype}; {named} {'became' if same else 'each became'} 0 to 1"
    words += ", then its square root" if intensity.square_root else ""
    drawn = {"threshold": "1 above 0.5, else 0", "dynamic": "drawn with the pixel's value as the probability of a 1"}
    how = drawn.get(look.run.experiment.data.binarize)
    return words + (f", then 0 or 1 ({how})" if how else "")


def _hue(colour: np.ndarray) -> str:
    pure = (colour - colour.min()) / np.ptp(colour) if np.ptp(colour) > 0.05 else np.ones(3)
    return min(HUES, key=lambda name: float(((pure - np.array(HUES[name])) ** 2).sum()))
