"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vaelab.plots.style import FIRST, INK, MUTED, PAPER, styled

_CELL, _MOST_WRITTEN, _MOST_NAMED, _MOST_LETTERS = 34, 16, 40, 26


@styled
def confusion(counts: np.ndarray, names: Sequence[str]) -> Figure:
    """For each class (a row) the share of its images that is told as each class, in colour and per cent.

    Args:
        counts: (class, class): images of the class in the row that are told as the class in the column.
        names: Of the classes. Beyond 40 every other is named, or fewer; beyond 16 no numbers are written.
    """
    count, long = len(names), _MOST_LETTERS
    names = [name if len(name) <= long else f"{name[: long - 1]}\N{HORIZONTAL ELLIPSIS}" for name in names]
    cell = min(_CELL * (1.6 if count < 5 else 1), 560 / count)
    side, room = cell * count, 7.5 * max(map(len, names))
    size = (max(side + room + 110, 320) / 72, (side + 0.7 * room + 90) / 72)
    sheet = Figure(figsize=size, dpi=72, layout="constrained")
    FigureCanvasAgg(sheet)
    ax = sheet.subplots()
    totals = counts.sum(1)
    shares = counts / np.maximum(totals, 1)[:, None]
    for row, column in np.argwhere(counts).tolist():
        share = float(shares[row, column])
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color=FIRST, alpha=share, linewidth=0))
        if count <= _MOST_WRITTEN and share >= 0.005:
            colour = PAPER if share > 0.55 else INK
            ax.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=colour, fontsize=10.5)
    _name(ax, names)
    quiet: dict[str, Any] = {"color": MUTED, "fontsize": 10, "textcoords": "offset points", "annotation_clip": False}
    ax.annotate("% of the images of each row", (-0.5, count - 0.5), (0, -6), va="top", **quiet)
    if count <= _MOST_WRITTEN:
        for row, total in enumerate(totals.tolist()):
            ax.annotate(f"{total:,}", (count - 0.5, row), (8, 0), va="center", **quiet)
        ax.annotate("images", (count - 0.5, count - 0.5), (8, -6), va="top", **quiet)
    ax.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5), aspect="equal")
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set(visible=True, color=MUTED, linewidth=0.6)
    return sheet


def _name(ax: Axes, names: Sequence[str]) -> None:
    """Names of the columns above, of the rows on the left; where there are many, of some."""
    every = -(-len(names) // _MOST_NAMED)
    places = range(0, len(names), every)
    upright = max(map(len, names)) <= 3 and every == 1
    turned: dict[str, Any] = {} if upright else {"rotation": 45, "ha": "left", "rotation_mode": "anchor"}
    ax.set_xticks(places, names[::every], **turned)
    ax.set_yticks(places, names[::every])
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.tick_params(length=0)
    for tick in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        tick.set_color(INK)
    ax.set_xlabel("told as")
    ax.set_ylabel("is")
