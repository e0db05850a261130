"""Numbers that were predicted against what they are."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.plots.style import FIRST, SECOND, figure, styled


@styled
def predicted(known: np.ndarray, told: np.ndarray, *, name: str, size: float = 380) -> Figure:
    """Each image as a dot, on both axes the same range, with the line on which a prediction is right.

    Args:
        known: (image,), finite.
        told: (image,), finite.
        name: Of the number.
        size: CSS pixels.
    """
    sheet, ax = figure(size, size)
    low, high = min(known.min(), told.min()), max(known.max(), told.max())
    margin = 0.04 * (high - low) or 1.0
    ends = (low - margin, high + margin)
    ax.plot(ends, ends, color=SECOND, linewidth=1.2, zorder=1)
    dot = float(np.clip(6000 / max(len(known), 1), 4, 24))
    ax.scatter(known, told, s=dot, color=FIRST, alpha=0.5, linewidths=0, zorder=2)
    ax.set(xlim=ends, ylim=ends)
    ax.set_box_aspect(1)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    ax.set_xlabel(name)
    ax.set_ylabel("predicted")
    return sheet
