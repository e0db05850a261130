"""What changes along a row of pictures."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.transforms as mt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.plots.style import FIRST, MUTED, PALETTE, PAPER, styled

COLOURS = (FIRST, PALETTE[1], MUTED, PALETTE[4])
"""Of the lines, in their order."""
DASHES = ("-", "-", (0, (4, 2)), (0, (1, 1.5)))


@styled
def profile(
    lines: Mapping[str, np.ndarray], marked: np.ndarray, *, unit: str, width: float = 960, height: float = 170
) -> Figure:
    """Lines over a row of equally wide places, as below pictures that stand in them; some places are shaded.

    The places take the whole width, so that a figure as wide as the pictures stands exactly below them.

    Args:
        lines: Name -> (place,) values, 0 or more; at most four.
        marked: (place,), True where it is shaded.
        unit: Of the values.
        width: CSS pixels.
        height: CSS pixels.
    """
    sheet = Figure(figsize=(width / 72, height / 72), dpi=72)
    FigureCanvasAgg(sheet)
    ax = sheet.add_axes((0, 0.03, 1, 0.80))
    count = len(marked)
    for place in np.flatnonzero(marked):
        ax.axvspan(place - 0.5, place + 0.5, color=FIRST, alpha=0.10, linewidth=0)
    for (name, values), colour, dash in zip(lines.items(), COLOURS, DASHES, strict=False):
        ax.plot(values, color=colour, linestyle=dash, linewidth=1.8, label=name, marker="o", markersize=3.5)
    top = max((float(np.nanmax(values)) for values in lines.values()), default=0.0)
    ax.set_xlim(-0.5, count - 0.5)
    ax.set_ylim(0, 1.12 * top or 1)
    ax.set_xticks([])
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.tick_params(axis="y", pad=-4)
    for label in ax.get_yticklabels():
        label.set(ha="left", va="bottom")
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False, axis="x")
    sheet.text(0, 0.99, unit, ha="left", va="top", color=MUTED)
    names = ax.legend(
        loc="lower right", bbox_to_anchor=mt.Bbox([[1, 1.0], [1, 1.0]]), ncol=len(lines), frameon=False,
        borderaxespad=0.2, handlelength=2, columnspacing=1.6, facecolor=PAPER,
    )  # fmt: skip
    for text, colour in zip(names.get_texts(), COLOURS, strict=False):
        text.set_color(colour)
    return sheet
