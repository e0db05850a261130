"""What changes step by step: named lines, and the same points in the plane again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.pictures import square
from vaelab.plots.scatter import Classes
from vaelab.plots.style import INK, MUTED, PALETTE, PAPER, SECOND, figure, styled

PER_ROW = 4
_PANEL = 210


@styled
def lines(
    named: Mapping[str, np.ndarray], *, unit: str, across: str = "optimiser step", mark: int | None = None,
    marked: str = "", level: float | None = None, width: float = 420, height: float = 262,
) -> Figure:  # fmt: skip
    """A line for each name against the optimiser step, or something else, with its name at its end.

    Args:
        named: Name -> (2, point), steps and values; what is not finite is left out.
        unit: What stands at the vertical axis.
        across: What stands at the horizontal axis.
        mark: A step that is marked by an upright line; None: none.
        marked: What stands at that line.
        level: A value that is marked by a level line; None: none.
        width: CSS pixels.
        height: CSS pixels.
    """
    sheet, ax = figure(width, height)
    ends = {}
    for colour, (name, points) in zip(PALETTE * len(named), named.items(), strict=False):
        points = points[:, np.isfinite(points).all(0)]
        if points.size:
            ax.plot(
                *points,
                color=colour,
                linewidth=1.8,
                marker="o",
                markersize=3.5,
                markeredgecolor=PAPER,
                markeredgewidth=0.5,
            )
            ends[name] = (float(points[0, -1]), float(points[1, -1]), colour)
    ax.set_ylim(min(0.0, ax.get_ylim()[0]))
    if level is not None:
        ax.axhline(level, color=MUTED, linewidth=0.8, linestyle=(0, (3, 3)), zorder=1)
    if mark is not None:
        ax.axvline(mark, color=MUTED, linewidth=0.8, linestyle=(0, (3, 3)), zorder=1)
        ax.annotate(marked, (mark, 0.02), xycoords=ax.get_xaxis_transform(), xytext=(4, 0),
                    textcoords="offset points", color=MUTED, fontsize=10)  # fmt: skip
    low, high = ax.get_ylim()
    for name, place in _apart({name: y for name, (_, y, _) in ends.items()}, 0.075 * (high - low)).items():
        x, _, colour = ends[name]
        ax.annotate(
            name, (x, place), xytext=(6, 0), textcoords="offset points", va="center", color=colour,
            annotation_clip=False, fontsize=10.5, fontweight="bold",
        )  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(5, integer="step" in across, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    ax.set_xlabel(across)
    ax.set_ylabel(unit)
    ax.grid(visible=False, axis="x")
    return sheet


@styled
def panels(points: np.ndarray, titles: Sequence[str], labels: Classes | np.ndarray | None = None) -> Figure:
    """The same points at several times, in panels of one scale; classes are named in the last.

    Args:
        points: (panel, image, 2).
        titles: Above each panel.
        labels: Classes, or (image,) numbers, or None for one colour.
    """
    count = len(points)
    rows, columns = -(-count // PER_ROW), min(count, PER_ROW)
    sheet = Figure(figsize=(columns * _PANEL / 72, rows * (_PANEL + 22) / 72), dpi=72, layout="constrained")
    FigureCanvasAgg(sheet)
    middle, side = square(points.reshape(-1, 2))
    for place, ax in enumerate(sheet.subplots(rows, columns, squeeze=False).flat):
        ax.set_box_aspect(1)
        if place >= count:
            ax.set_axis_off()
            continue
        _scatter(ax, points[place], labels)
        ax.set(xlim=middle[0] + np.array([-side, side]) / 2, ylim=middle[1] + np.array([-side, side]) / 2)
        ax.set(xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set_color(SECOND)
        ax.set_title(titles[place], fontsize=11, color=INK)
    if isinstance(labels, Classes):
        for code, name in enumerate(labels.names):
            own = points[-1][labels.codes == code]
            if len(own):
                ax = sheet.axes[count - 1]
                x, y = np.median(own, axis=0).tolist()
                ax.text(x, y, name, ha="center", va="center", fontsize=11, fontweight="bold",
                        bbox={"facecolor": PAPER, "alpha": 0.8, "edgecolor": "none", "pad": 1.5})  # fmt: skip
    return sheet


def _scatter(ax, points: np.ndarray, labels: Classes | np.ndarray | None) -> None:
    size = float(np.clip(4000 / max(len(points), 1), 3, 14))
    if isinstance(labels, Classes):
        for code in range(len(labels.names)):
            colour, marker = labels.style(code)
            own = labels.codes == code
            ax.scatter(*points[own].T, s=size, c=colour, marker=marker, alpha=0.8, linewidths=0)
    else:
        ax.scatter(*points.T, s=size, c=PALETTE[0] if labels is None else labels, alpha=0.8, linewidths=0)


def _apart(places: Mapping[str, float], gap: float) -> dict[str, float]:
    """The places from low to high, those that are nearer than the gap moved apart."""
    found: dict[str, float] = {}
    for name in sorted(places, key=places.__getitem__):
        last = max(found.values(), default=-np.inf)
        found[name] = max(places[name], last + gap)
    return found
