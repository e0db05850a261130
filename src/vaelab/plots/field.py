"""Numbers all over a plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from matplotlib.ticker import MaxNLocator

from vaelab.plots.style import INK, MUTED, PAPER, figure, styled

_MARKERS = ("+", "x", "o")


@styled
def field(
    places: np.ndarray, values: np.ndarray, *, label: str, axes: tuple[str, str],
    levels: Sequence[float] | None = None, ellipse: tuple[np.ndarray, np.ndarray] | None = None,
    marks: Mapping[str, np.ndarray] | None = None, curves: np.ndarray | None = None, size: float = 400,
) -> Figure:  # fmt: skip
    """A number at each point of a grid in colour, with contours at given levels, and what lies on the plane.

    Args:
        places: (2, step), the grid's places on the horizontal axis and on the vertical one.
        values: (step upward, step across); what is not finite stays blank.
        label: What the numbers measure, with the unit.
        axes: What the two axes are.
        levels: Rising: colours change there; None: smoothly.
        ellipse: Middle (2,) and half axes (2,) of an outline; None: no outline.
        marks: Name -> (2,) a point, marked and named; None: none.
        curves: (curve, point, 2), white lines that end in dots; None: none.
        size: Height in CSS pixels.
    """
    sheet, ax = figure(size * 1.2, size)
    across, upward = places
    drawn = np.ma.masked_invalid(values)
    if levels is None:
        shown = ax.pcolormesh(across, upward, drawn, cmap="viridis", shading="nearest", rasterized=True)
    else:
        norm = BoundaryNorm(levels, 256, extend="max")
        shown = ax.contourf(across, upward, drawn, levels, cmap="viridis_r", norm=norm, extend="max")
    ticks = {} if levels is None else {"ticks": levels, "format": "%g"}
    bar = sheet.colorbar(shown, ax=ax, shrink=0.8, aspect=24, pad=0.02, **ticks)
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.set_label(label, color=MUTED)
    for curve in () if curves is None else curves:
        ax.plot(*curve.T, color=PAPER, linewidth=1.6)
        ax.plot(*curve[[0, -1]].T, "o", color=PAPER, markeredgecolor=INK, markersize=5, linestyle="none")
    if ellipse is not None:
        middle, half = ellipse
        ax.add_patch(Ellipse((middle[0], middle[1]), 2 * half[0], 2 * half[1], fill=False, color=INK, linewidth=1.4))
    for marker, (name, place) in zip(_MARKERS, (marks or {}).items(), strict=False):
        ax.plot(*place, marker=marker, color=INK, markersize=9, markeredgewidth=1.8, fillstyle="none", label=name)
    if marks:
        ax.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(marks), frameon=False, fontsize=10.5,
            handletextpad=0.1, columnspacing=1, numpoints=1, handlelength=1.2,
        )  # fmt: skip
        for line in ax.get_legend().get_lines():  # pyright: ignore[reportOptionalMemberAccess]
            line.set_linestyle("none")
    ax.set_xlim(across[0], across[-1])
    ax.set_ylim(upward[0], upward[-1])
    ax.set_xlabel(axes[0])
    ax.set_ylabel(axes[1])
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.grid(visible=False)
    return sheet
