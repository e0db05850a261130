"""Pictures in rows on one sheet, with words above and beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vaelab.plots.style import INK, MUTED, PAPER

_SIZE, _GAP, _MARGIN = 16, 6, 24
"""Pixels: the type, the gap between tiles, and the sheet's margin."""


class Tile(NamedTuple):
    """A picture on a sheet."""

    pixels: np.ndarray
    """(height, width, 3 or 4) uint8."""
    words: str = ""
    """Above it; may have several lines."""


Row = tuple[str, Sequence[Tile]]
"""What stands on the left of a row, and its tiles."""


def sheet(rows: Sequence[Row], *, title: str = "", note: str = "", gap: int = _GAP) -> np.ndarray:
    """(height, width, 3) uint8: tiles in rows and columns on white, one pixel for one pixel.

    Args:
        rows: From top to bottom; columns are as wide as their widest tile or words.
        title: Above all of it.
        note: Below the title, in smaller type; may have several lines.
        gap: Pixels between columns.

    >>> sheet([("a row", [Tile(np.zeros((9, 9, 3), np.uint8), "a"), Tile(np.zeros((9, 9, 3), np.uint8))])]).shape[2]
    3
    """
    plain, large = _font(_SIZE), _font(1.4 * _SIZE)
    named = max((_extent(name, plain)[0] for name, _ in rows), default=0)
    left = _MARGIN + (named + 2 * _GAP if named else 0)
    widths = [0] * max((len(tiles) for _, tiles in rows), default=0)
    for _, tiles in rows:
        for column, tile in enumerate(tiles):
            widths[column] = max(widths[column], tile.pixels.shape[1], _extent(tile.words, plain)[0])
    above = [max((_extent(tile.words, plain)[1] for tile in tiles), default=0) for _, tiles in rows]
    heights = [max((tile.pixels.shape[0] for tile in tiles), default=0) for _, tiles in rows]
    head = [(words, font) for words, font in ((title, large), (note, plain)) if words]
    top = _MARGIN + sum(_extent(words, font)[1] + 2 * _GAP for words, font in head)
    width = max([left + sum(widths) + gap * (len(widths) - 1), *(_MARGIN + _extent(*each)[0] for each in head)])
    height = top + sum(above) + sum(heights) + 2 * _GAP * len(rows)
    paper = Image.new("RGB", (width + _MARGIN, height + _MARGIN), PAPER)
    pen, y = ImageDraw.Draw(paper), _MARGIN
    for words, font in head:
        pen.multiline_text((_MARGIN, y), words, fill=INK if font is large else MUTED, font=font)
        y += _extent(words, font)[1] + 2 * _GAP
    for (name, tiles), over, tall in zip(rows, above, heights, strict=True):
        pen.multiline_text((_MARGIN, y + over), name, fill=INK, font=plain)
        x = left
        for tile, wide in zip(tiles, widths, strict=False):
            pen.multiline_text((x, y), tile.words, fill=MUTED, font=plain)
            picture = Image.fromarray(tile.pixels)
            paper.paste(picture, (x, y + over), picture if tile.pixels.shape[2] == 4 else None)
            x += wide + gap
        y += over + tall + 2 * _GAP
    return np.asarray(paper)


def _font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def _extent(words: str, font: ImageFont.FreeTypeFont) -> tuple[int, int]:
    """Width and height of words, nothing for none."""
    if not words:
        return 0, 0
    lines = words.split("\n")
    return round(max(font.getlength(line) for line in lines)), round(len(lines) * (font.size + 4)) + 4
