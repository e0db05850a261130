"""Embedded images as points of space."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.plots.style import GRID, INK, MUTED, styled

TURNS = ((20, -60), (20, 30), (80, -60))
"""Degrees above the horizon, and around: from a side, from another, and from above."""


@styled
def space(
    points: np.ndarray, values: np.ndarray | None, *, ringed: np.ndarray, axes: tuple[str, str, str],
    value_name: str = "", width: float = 1020, height: float = 360,
) -> Figure:  # fmt: skip
    """Points in space from three sides, coloured by a number, some of them ringed.

    Args:
        points: (image, 3).
        values: (image,) what colours them, or None for one colour.
        ringed: (image,), True where a ring is drawn.
        axes: What the three axes are.
        value_name: What the values measure.
        width: CSS pixels.
        height: CSS pixels.
    """
    sheet = Figure(figsize=(width / 72, height / 72), dpi=72)
    FigureCanvasAgg(sheet)
    dots = None
    for i, (up, around) in enumerate(TURNS):
        ax: Any = sheet.add_axes((0.305 * i, 0.02, 0.30, 0.96), projection="3d")
        ends = {} if values is None else {"vmin": values.min(), "vmax": values.max(), "cmap": "viridis"}
        for some, edge in ((~ringed, "none"), (ringed, INK)):
            inks = MUTED if values is None else values[some]
            drawn = ax.scatter(*points[some].T, c=inks, s=12, depthshade=False, edgecolors=edge, linewidths=0.7, **ends)
            dots = drawn if some.any() else dots
        ax.set_box_aspect((1, 1, 1), zoom=1.15)
        ax.view_init(up, around)
        for axis, name in zip((ax.xaxis, ax.yaxis, ax.zaxis), axes, strict=True):
            axis.set_major_locator(MaxNLocator(3))
            axis.set_pane_color((1, 1, 1, 0))
            axis._axinfo["grid"].update(color=GRID, linewidth=0.6)
            axis.set_label_text(name, color=MUTED)
    if values is not None and dots is not None:
        bar = sheet.colorbar(dots, cax=sheet.add_axes((0.945, 0.22, 0.012, 0.56)))
        bar.outline.set_visible(False)  # type: ignore[operator]
        bar.set_label(value_name, color=MUTED)
    return sheet
