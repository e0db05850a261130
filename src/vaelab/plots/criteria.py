"""How BIC and AIC go with the number of components."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.plots.style import FIRST, INK, MUTED, PAPER, SECOND, figure, styled


@styled
def criteria(table: pd.DataFrame, *, width: float = 420, height: float = 262) -> Figure:
    """BIC and AIC against the number of components; the lowest BIC is marked.

    Args:
        table: As `vaelab.evaluation.clustering.compare_components` gives it.
        width: CSS pixels.
        height: CSS pixels.
    """
    sheet, ax = figure(width, height)
    for name, colour, line in (("aic", SECOND, 1.6), ("bic", FIRST, 2.0)):
        ax.plot(
            table["components"], table[name] / 1000, color=colour, linewidth=line, zorder=2 + (name == "bic"),
            marker="o", markersize=4, markeredgecolor=PAPER, markeredgewidth=0.6,
        )  # fmt: skip
        ax.annotate(
            name.upper(), (table["components"].iloc[-1], table[name].iloc[-1] / 1000), xytext=(6, 0),
            textcoords="offset points", va="center", color=FIRST if name == "bic" else MUTED, fontsize=10.5,
            fontweight="bold" if name == "bic" else "normal", annotation_clip=False,
        )  # fmt: skip
    best = table.loc[table["chosen"]].iloc[0]
    ax.plot(best["components"], best["bic"] / 1000, marker="o", markersize=9, color=FIRST, fillstyle="none", zorder=4)
    ax.annotate(
        f"{best['components']:.0f}", (best["components"], best["bic"] / 1000), xytext=(0, 10),
        textcoords="offset points", ha="center", color=INK, fontsize=10.5, fontweight="bold",
    )  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    ax.set_xlabel("components")
    ax.set_ylabel("criterion / 1000, lower is better")
    ax.grid(visible=False, axis="x")
    return sheet
