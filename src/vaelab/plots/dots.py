"""Values with their intervals, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.plots.style import FIRST, INK, MUTED, PAPER, SECOND, figure, styled

_ROW, _FRAME, _MOST_LETTERS = 26, 62, 26


class Dot(NamedTuple):
    """One row of `dot_rows`."""

    name: str
    """What stands on the left."""
    value: float
    """Where the dot is."""
    interval: tuple[float, float] | None = None
    """Drawn as a thick line."""
    wider: tuple[float, float] | None = None
    """A second interval, drawn as a thin line with ends."""
    points: Sequence[float] = ()
    """What the value is the mean of, as small dots."""
    kind: Literal["first", "other", "beside", "trivial"] = "other"
    """first: the others are compared with it; beside: drawn hollow, as what the row above is compared with; trivial:
    hollow and grey, and not what the axis has to show."""


@styled
def dot_rows(rows: Sequence[Dot], *, label: str, width: float = 400) -> Figure:
    """Each value as a dot on its interval, in rows from the top; a faint line goes down from the first.

    The axis spans what is not trivial. A trivial value far outside stands at the edge as an arrow, with its value.

    Args:
        rows: Finite values; one at least.
        label: What the axis measures, with its unit.
        width: CSS pixels.
    """
    sheet, ax = figure(width, _FRAME + _ROW * len(rows))
    low, high = _span(rows)
    ax.set_xlim(low, high)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    for place, row in enumerate(rows):
        _draw(ax, place, row, low, high)
    for row in rows:
        if row.kind == "first":
            ax.axvline(row.value, color=SECOND, linewidth=1, zorder=1)
    ax.set_yticks(range(len(rows)), [_shortened(row.name) for row in rows])
    for tick, row in zip(ax.get_yticklabels(), rows, strict=True):
        tick.set_color(MUTED if row.kind in ("beside", "trivial") else INK)
    whole = all(float(row.value).is_integer() for row in rows)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=whole))
    ax.set_xlabel(label)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False, axis="y")
    return sheet


def _draw(ax: Axes, place: int, row: Dot, low: float, high: float) -> None:
    if row.kind == "trivial" and not low <= row.value <= high:
        right = row.value > high
        edge, away = (high, -1) if right else (low, 1)
        ax.plot([edge], [place], marker=5 if right else 4, color=MUTED, markersize=6, clip_on=False)
        ax.annotate(
            f"{row.value:.3g}".replace("-", "\N{MINUS SIGN}"), (edge, place), xytext=(10 * away, 0),
            textcoords="offset points", ha="right" if right else "left", va="center", color=MUTED, fontsize=10,
        )  # fmt: skip
        return
    colour = {"first": INK, "other": FIRST, "beside": MUTED, "trivial": MUTED}[row.kind]
    if row.wider is not None:
        ax.errorbar(
            [row.value], [place], xerr=_arms(row.value, row.wider), fmt="none", ecolor=colour, elinewidth=1,
            capsize=4, capthick=1, zorder=2,
        )  # fmt: skip
    if row.interval is not None:
        thick = 1.5 if row.kind == "trivial" else 4
        ax.plot(row.interval, [place, place], color=colour, linewidth=thick, alpha=0.45, zorder=2)
    if len(row.points) > 1:
        ax.plot(row.points, [place + 0.3] * len(row.points), "o", color=SECOND, markersize=3, zorder=2)
    inside = PAPER if row.kind in ("beside", "trivial") else colour
    ax.plot([row.value], [place], "o", color=colour, markerfacecolor=inside, markersize=6.5, zorder=3)


def _span(rows: Sequence[Dot]) -> tuple[float, float]:
    """The axis: all of what is not trivial, and trivial values as far as these do not make it half as wide again."""
    own = [row for row in rows if row.kind != "trivial"] or list(rows)
    ends = [end for row in own for end in (row.value, *(row.interval or ()), *(row.wider or ()), *row.points)]
    low, high = min(ends), max(ends)
    room = 0.5 * (high - low)
    near = [row.value for row in rows if low - room <= row.value <= high + room]
    low, high = min([low, *near]), max([high, *near])
    margin = 0.06 * (high - low) or max(abs(low) * 0.25, 1e-6)
    return low - margin, high + margin


def _arms(value: float, ends: tuple[float, float]) -> np.ndarray:
    return np.array([[max(value - ends[0], 0)], [max(ends[1] - value, 0)]])


def _shortened(name: str) -> str:
    return name if len(name) <= _MOST_LETTERS else f"\N{HORIZONTAL ELLIPSIS}{name[1 - _MOST_LETTERS :]}"
