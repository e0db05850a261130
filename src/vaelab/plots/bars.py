"""How much each latent carries, and how well each image is fitted."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.plots.style import FIRST, INK, MUTED, SECOND, figure, styled


@styled
def rate_bars(rates: np.ndarray, active: np.ndarray, *, width: float = 440, height: float = 220) -> Figure:
    """The rate of every latent, largest first; active latents in colour.

    Args:
        rates: (latent,), nats per image.
        active: (latent,), True where the latent counts as active.
        width: CSS pixels.
        height: CSS pixels.
    """
    order = np.argsort(-rates, kind="stable")
    sheet, ax = figure(width, height)
    places = np.arange(len(rates))
    ax.bar(places, rates[order], width=0.78, color=[FIRST if a else SECOND for a in active[order]], linewidth=0)
    every = max(1, -(-len(rates) * 30 // int(width - 60)))
    ax.set_xticks(places[::every], [f"z{i}" for i in order[::every]])
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.6, max(len(rates), 6) - 0.4)
    ax.set_ylim(0, max(float(rates.max()) * 1.08, 1e-3))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.set_ylabel("rate, nats per image")
    ax.grid(visible=False, axis="x")
    return sheet


@styled
def fit_histogram(
    values: np.ndarray, *, label: str, marks: dict[str, float], width: float = 440, height: float = 230
) -> Figure:
    """How a per-image score is spread, with named places on its axis.

    Args:
        values: (image,), finite.
        label: What the axis measures, with its unit.
        marks: Name -> value, drawn as vertical lines.
        width: CSS pixels.
        height: CSS pixels.
    """
    sheet, ax = figure(width, height)
    ax.hist(values, bins=_num_bins(values), color=SECOND, linewidth=0)
    top = 1.12 * ax.get_ylim()[1]
    ax.set_ylim(0, top)
    for place, (name, value) in enumerate(sorted(marks.items(), key=lambda mark: mark[1])):
        ax.axvline(value, color=INK, linewidth=1)
        left = place == 0 and value > ax.get_xlim()[0] + 0.25 * np.ptp(ax.get_xlim())
        ax.annotate(
            name, (value, top), xytext=(-5 if left else 5, -2), textcoords="offset points", va="top",
            ha="right" if left else "left", color=INK, fontsize=10.5,
        )  # fmt: skip
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.set_xlabel(label)
    ax.set_ylabel("images", color=MUTED)
    ax.grid(visible=False, axis="x")
    return sheet


def _num_bins(values: np.ndarray) -> int:
    """By the rule of Freedman and Diaconis, from 8 to 120, so that a few outliers don't make the rest one bar."""
    low, high = np.quantile(values, [0.25, 0.75])
    width = 2 * (high - low) / len(values) ** (1 / 3)
    return int(np.clip(np.ptp(values) / width, 8, 120)) if width > 0 else 8
