"""How far points have moved."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.plots.style import FIRST, INK, SECOND, figure, styled


@styled
def arrows(start: np.ndarray, end: np.ndarray, *, axes: tuple[str, str], size: float = 400) -> Figure:
    """From each point an arrow to where it has gone: the longer half of them dark.

    Args:
        start: (point, 2).
        end: (point, 2).
        axes: What the two axes are, each with its own scale.
        size: Height in CSS pixels.
    """
    sheet, ax = figure(size * 1.08, size)
    moved = end - start
    spread = np.maximum(np.ptp(start, axis=0), 1e-12)
    far = np.hypot(*(moved / spread).T)
    for kind, colour in ((far <= np.median(far), SECOND), (far > np.median(far), FIRST)):
        if kind.any():
            ax.quiver(
                *start[kind].T, *moved[kind].T, angles="xy", scale_units="xy", scale=1, color=colour, width=0.003,
                headwidth=4, headlength=5, headaxislength=4.5,
            )  # fmt: skip
    ax.plot(*start.T, ".", color=INK, markersize=2.5, linestyle="none")
    both = np.concatenate([start, end])
    room = 0.03 * np.maximum(np.ptp(both, axis=0), 1e-9)
    (left, low), (right, high) = both.min(0) - room, both.max(0) + room
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.set_xlabel(axes[0])
    ax.set_ylabel(axes[1])
    return sheet
