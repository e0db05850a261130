"""How sure, against how often right."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from vaelab.plots.style import FIRST, MUTED, SECOND, styled


@styled
def reliability(
    confidences: np.ndarray, shares: np.ndarray, intervals: np.ndarray, sure: np.ndarray, *, size: float = 380
) -> Figure:
    """The share of images told rightly against how sure the classifier was of them, above how many it was so sure of.

    Args:
        confidences: (bin,): the mean probability of the likeliest class, in [0, 1].
        shares: (bin,): of the images in the bin, those told rightly.
        intervals: (bin, 2) of the shares.
        sure: (image,): the probability of the likeliest class of every image.
        size: Width in CSS pixels.
    """
    sheet = Figure(figsize=(size / 72, 1.2 * size / 72), dpi=72, layout="constrained")
    FigureCanvasAgg(sheet)
    above, below = sheet.subplots(2, 1, sharex=True, height_ratios=[5, 1])
    left, low = (max(0.0, np.floor(10 * values.min(initial=0.9)) / 10) for values in (sure, intervals))
    above.plot([max(left, low), 1], [max(left, low), 1], color=SECOND, linewidth=1.2, zorder=1)
    above.text(0.02, 0.985, "not sure enough", transform=above.transAxes, va="top", color=MUTED, fontsize=10)
    above.text(0.98, 0.02, "too sure", transform=above.transAxes, ha="right", color=MUTED, fontsize=10)
    for x, (bottom, top) in zip(confidences.tolist(), intervals.tolist(), strict=True):
        above.plot([x, x], [bottom, top], color=FIRST, linewidth=4, alpha=0.35, zorder=2)
    above.plot(confidences, shares, "o", color=FIRST, markersize=6.5, zorder=3)
    above.set_xlim(left - 0.02 * (1 - left), 1 + 0.02 * (1 - left))
    above.set_ylim(low - 0.09 * (1 - low), 1 + 0.09 * (1 - low))
    above.set_ylabel("told rightly")
    below.hist(sure, bins=np.linspace(left, 1, 41), color=SECOND, linewidth=0)
    below.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    below.set_ylabel("images")
    below.set_xlabel("how sure: probability of the likeliest class")
    for axis in (above.xaxis, above.yaxis):
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    below.grid(visible=False, axis="x")
    return sheet
