"""What each of several things changes, as a map of numbers with their intervals, and pictures beside each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vaelab.plots.style import INK, MUTED, SECOND, figure, styled

_CELL, _ROW, _HEAD, _GAP, _LETTER = 56, 52, 84, 22, 6.2
"""CSS pixels: a cell's width, a row's least height, the head's height, gaps between groups, a letter."""
_LARGEST, _MOST_LETTERS = 3.0, 20
"""The number beyond which no colour changes, and where names are cut."""
_DARK, _LIGHT = "#10151c", "#fdfdfd"
"""Words on a coloured cell, whatever the page's colours are."""
_Line = tuple[list[tuple[float, float]], str, float]
"""Two ends, colour, width."""


class EffectRow(NamedTuple):
    """One row of `effects`."""

    name: str
    """What stands on the left."""
    note: str
    """Below it, in smaller type."""
    values: np.ndarray
    """(column,)."""
    low: np.ndarray
    """(column,): the lower ends of their intervals."""
    high: np.ndarray
    """(column,): the upper ends."""
    shown: np.ndarray
    """(column,): True where a value counts; the others have no colour."""
    pictures: Sequence[tuple[np.ndarray, float]]
    """Strips, (height, width, 3 or 4) uint8, and how many CSS pixels each of their pixels takes."""


@styled
def effects(
    rows: Sequence[EffectRow], columns: Sequence[str], captions: Sequence[str], *, first: int = 0, upper: int = 0
) -> Figure:
    """A cell for each value, coloured by it; below it a line from the lower to the upper end of its interval.

    The line lies on an axis from -3 to 3 with 0 in the cell's middle; an arrow stands where the interval goes on. A
    value that is not finite is a dash.

    Args:
        rows: From the top; one at least, each with strips of the same size.
        columns: Names of the values.
        captions: Names of the strips.
        first: So many columns stand apart from the others, on the left.
        upper: So many rows stand apart from the others, above them.
    """
    names = [_shortened(row.name) for row in rows]
    x = 16 + _LETTER * max([1.15 * len(name) for name in names] + [len(row.note) for row in rows])
    places = [x + _CELL * i + _GAP * bool(first and i >= first) for i in range(len(columns))]
    sizes = [(pixels.shape[0] * scale, pixels.shape[1] * scale) for pixels, scale in rows[0].pictures]
    step = max([_ROW, *(tall + 4 for tall, _ in sizes)])
    starts = np.cumsum([places[-1] + _CELL + _GAP, *(wide + _GAP for _, wide in sizes)])
    tops = [_HEAD + step * i + _GAP * bool(upper and i >= upper) for i in range(len(rows))]
    width, height = float(starts[-1]), tops[-1] + step + 8
    sheet, ax = figure(width, height)
    sheet.set_layout_engine("none")
    ax.set_position((0, 0, 1, 1))
    ax.set_axis_off()
    for name, place in zip(columns, places, strict=True):
        where = place + _CELL / 2 - 4, _HEAD - 8
        ax.text(*where, _shortened(name), rotation=35, rotation_mode="anchor", color=INK, fontsize=11)
    for caption, start in zip(captions, starts, strict=False):
        ax.text(start, _HEAD - 8, caption, color=MUTED, fontsize=10.5)
    lines: list[_Line] = []
    for name, row, top in zip(names, rows, tops, strict=True):
        middle = top + step / 2
        ax.text(8, middle - 6, name, va="center", color=INK, fontsize=12)
        ax.text(8, middle + 11, row.note, va="center", color=MUTED, fontsize=9.5)
        for value, low, high, shown, place in zip(row.values, row.low, row.high, row.shown, places, strict=True):
            lines += _cell(ax, (place, top, step), (value, low, high), bool(shown))
        for (pixels, _), (tall, wide), start in zip(row.pictures, sizes, starts, strict=False):
            extent = (start, start + wide, middle + tall / 2, middle - tall / 2)
            ax.imshow(pixels, extent=extent, interpolation="nearest")
    segments, colours, widths = zip(*lines, strict=True) if lines else ((), (), ())
    ax.add_collection(LineCollection(segments, colors=colours, linewidths=widths, capstyle="butt"))
    ax.set_aspect("auto")
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    return sheet


def _cell(ax: Axes, box: tuple[float, float, float], numbers: tuple[float, float, float], shown: bool) -> list[_Line]:
    """Draws a cell, and gives the lines of its interval."""
    (x, top, tall), (value, low, high) = box, numbers
    middle, y = x + _CELL / 2, top + tall / 2 + 12
    if not np.isfinite(value):
        ax.text(middle, y - 17, "\N{EN DASH}", ha="center", va="center", color=MUTED, fontsize=9.5)
        return []
    words, ink, line = f"{value:+.1f}".replace("-", "\N{MINUS SIGN}"), MUTED, SECOND
    if shown:
        share = float(Normalize(-_LARGEST, _LARGEST, clip=True)(value))
        fill = to_hex(mpl.colormaps["RdBu_r"](0.06 + 0.88 * share))
        ink = line = _LIGHT if abs(share - 0.5) > 0.36 else _DARK
        ax.add_patch(Rectangle((x + 1, top + 1), _CELL - 2, tall - 2, facecolor=fill, linewidth=0))
    elif words.endswith("0.0"):
        words = "0"
    ax.text(middle, y - 17, words, ha="center", va="center", color=ink, fontsize=11.5 if shown else 9.5)
    if not np.isfinite(low):
        return []
    half = _CELL / 2 - 6
    ends = middle + half / _LARGEST * np.clip([low, high], -_LARGEST, _LARGEST) + [-1, 1]
    lines: list[_Line] = [([(middle, y - 4), (middle, y + 4)], line, 0.8), ([(ends[0], y), (ends[1], y)], line, 2.2)]
    for end, beyond, way in ((middle - half, low < -_LARGEST, 1), (middle + half, high > _LARGEST, -1)):
        if beyond:
            lines += [([(end, y), (end + 4 * way, y + side)], line, 1.2) for side in (-3, 3)]
    return lines


def _shortened(name: str) -> str:
    return name if len(name) <= _MOST_LETTERS else f"{name[: _MOST_LETTERS - 1]}\N{HORIZONTAL ELLIPSIS}"
