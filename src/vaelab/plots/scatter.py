"""Embedded images as points of a plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.pictures import square
from vaelab.plots.style import INK, MUTED, PALETTE, PAPER, SECOND, figure, styled

MARKERS = ("o", "^", "s")
MAX_CLASSES = len(PALETTE) * len(MARKERS)


@dataclass(frozen=True, kw_only=True)
class Classes:
    """Labels as numbers with names: the most frequent first, rare ones beyond the palette together as the last."""

    codes: np.ndarray
    """(image,), index into `names`."""
    names: tuple[str, ...]
    """One name per class."""

    def style(self, code: int) -> tuple[str, str]:
        """(colour, marker) of a class."""
        return PALETTE[code % len(PALETTE)], MARKERS[code // len(PALETTE) % len(MARKERS)]


@styled
def latent_scatter(
    points: np.ndarray, labels: Classes | np.ndarray | None = None, *, axes: tuple[str, str] = ("z0", "z1"),
    label_name: str = "", names: bool = True, size: float = 440,
) -> Figure:  # fmt: skip
    """Points in the plane, coloured by class (named where they lie) or by a number (with its scale).

    Args:
        points: (image, 2).
        labels: Classes, or (image,) numbers, or None for one colour.
        axes: What the two axes are.
        label_name: What the numbers measure.
        names: Write each class's name at the median of its points.
        size: Height in CSS pixels.
    """
    sheet, ax = figure(size * 1.08, size)
    area = float(np.clip(30000 / max(len(points), 1), 8, 40))
    if isinstance(labels, Classes):
        for code in range(len(labels.names)):
            colour, marker = labels.style(code)
            own = points[labels.codes == code]
            ax.scatter(*own.T, s=area, c=colour, marker=marker, alpha=0.8, linewidths=0)
        if names:
            _name(ax, points, labels)
    elif labels is not None:
        dots = ax.scatter(*points.T, s=area, c=labels, cmap="viridis", alpha=0.9, linewidths=0)
        bar = sheet.colorbar(dots, ax=ax, shrink=0.6, aspect=24, pad=0.02)
        bar.outline.set_visible(False)  # type: ignore[operator]
        bar.set_label(label_name, color=MUTED)
    else:
        ax.scatter(*points.T, s=area, c=PALETTE[0], alpha=0.6, linewidths=0)
    ax.set_xlabel(axes[0])
    ax.set_ylabel(axes[1])
    _plane(ax, points)
    return sheet


@styled
def class_panel(points: np.ndarray, classes: Classes, code: int, *, size: float = 150) -> Figure:
    """One class in colour before all the others in grey, for eyes that cannot tell ten colours apart.

    Args:
        points: (image, 2).
        classes: Of every point.
        code: The class in colour.
        size: CSS pixels.
    """
    sheet, ax = figure(size, size)
    own = classes.codes == code
    ax.scatter(*points[~own].T, s=2.5, c=SECOND, linewidths=0, alpha=0.35)
    ax.scatter(
        *points[own].T,
        s=float(np.clip(1500 / max(own.sum(), 1), 5, 16)),
        c=classes.style(code)[0],
        linewidths=0,
        alpha=0.9,
    )
    _plane(ax, points)
    ax.grid(visible=False)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color(SECOND)
    return sheet


def _plane(ax: Axes, points: np.ndarray) -> None:
    middle, side = square(points)
    ax.set_xlim(middle[0] - side / 2, middle[0] + side / 2)
    ax.set_ylim(middle[1] - side / 2, middle[1] + side / 2)
    ax.set_box_aspect(1)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_locator(MaxNLocator(5))


def _name(ax: Axes, points: np.ndarray, classes: Classes) -> None:
    """Writes class names at the medians of their points, moved apart where they would touch, all inside the plane.

    One or two points would lie hidden under their name, which stands above them.
    """
    codes = [code for code in range(len(classes.names)) if (classes.codes == code).any()]
    places = np.stack([np.median(points[classes.codes == code], axis=0) for code in codes])
    middle, side = square(points)
    reach = side * np.array([0.018 * max(len(name) for name in classes.names) + 0.02, 0.055])
    few = np.array([(classes.codes == code).sum() < 3 for code in codes])
    places[few, 1] += 0.7 * reach[1]
    for _ in range(60):
        for i in range(len(codes)):
            gap = places - places[i]
            near = (np.abs(gap) < reach).all(axis=1) & (np.arange(len(codes)) != i)
            if near.any():
                push = np.where(gap[near, 1] >= 0, -1, 1).sum() or 1
                places[i, 1] += 0.2 * reach[1] * np.sign(push)
    lengths = np.array([len(classes.names[code]) for code in codes])
    halves = np.stack([0.0105 * lengths + 0.015, np.full(len(codes), 0.03)], axis=1)
    room = side * np.maximum(0.5 - halves, 0)
    places = np.clip(places, middle - room, middle + room)
    for code, (x, y) in zip(codes, places, strict=True):
        ax.text(
            x, y, classes.names[code], ha="center", va="center", fontsize=12.5, fontweight="bold", color=INK,
            bbox={"facecolor": PAPER, "alpha": 0.82, "edgecolor": "none", "boxstyle": "round,pad=0.18"}, zorder=5,
        )  # fmt: skip
