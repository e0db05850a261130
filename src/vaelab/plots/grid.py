"""Numbers at each pair of two settings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vaelab.plots.style import INK, MUTED, PAPER, figure, styled


@styled
def grid(
    columns: Sequence[float], rows: Sequence[float], values: np.ndarray, *, label: str, axes: tuple[str, str]
) -> Figure:
    """A cell for each pair, coloured by its number, which stands in it.

    Args:
        columns: What the columns are, from the left.
        rows: What the rows are, from below.
        values: (row, column); what is not finite stays blank.
        label: What the numbers measure, with the unit.
        axes: Names of what columns and rows are.
    """
    sheet, ax = figure(max(260, 74 * len(columns) + 150), max(180, 46 * len(rows) + 90))
    shown = ax.pcolormesh(np.ma.masked_invalid(values), cmap="viridis", edgecolors=PAPER, linewidth=2)
    bar = sheet.colorbar(shown, ax=ax, aspect=18, pad=0.03)
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.set_label(label, color=MUTED)
    low, high = np.nanmin(values), np.nanmax(values)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            dark = value < low + 0.55 * (high - low)
            words = f"{value:.4g}".replace("-", "\N{MINUS SIGN}")
            ax.text(column + 0.5, row + 0.5, words, ha="center", va="center", color=PAPER if dark else INK, fontsize=11)
    ax.set_xticks(np.arange(len(columns)) + 0.5, [f"{value:g}" for value in columns])
    ax.set_yticks(np.arange(len(rows)) + 0.5, [f"{value:g}" for value in rows])
    ax.tick_params(length=0)
    ax.set_xlabel(axes[0])
    ax.set_ylabel(axes[1])
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return sheet
