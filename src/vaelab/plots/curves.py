"""The terms of training, step by step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from vaelab.plots.style import FIRST, MUTED, PAPER, SECOND, figure, styled

SPLITS = {"train": SECOND, "validation": FIRST}


@styled
def curve(
    lines: Mapping[str, np.ndarray], *, unit: str = "nats per image", kept_step: int | None = None,
    ceilings: Mapping[str, np.ndarray] | None = None, prepared: int = 0, width: float = 420, height: float = 262,
) -> Figure:  # fmt: skip
    """One term against the optimiser step, on training and validation images.

    The axis holds everything after the first tenth of the steps, and after the preparation; where the beginning lies
    outside, the picture says so.

    Args:
        lines: For train and validation, where there are any: (2, point), steps and values.
        unit: What stands at the vertical axis.
        kept_step: The step whose weights were kept, marked with a line; None: no mark.
        ceilings: Likewise, how large the values can be, drawn as dashed lines, with the whole axis from 0; None:
            nothing limits them.
        prepared: Steps at the beginning that prepared the model in another way.
        width: CSS pixels.
        height: CSS pixels.
    """
    lines = {split: points[:, np.isfinite(points[1])] for split, points in lines.items()}
    lines = {split: points for split, points in lines.items() if points.size}
    sheet, ax = figure(width, height)
    for split, points in lines.items():
        _line(ax, points, split)
    if not ceilings:
        _limit(ax, lines, prepared)
    else:
        _ceilings(ax, ceilings)
    _name_ends(ax, {split: (float(points[0, -1]), float(points[1, -1])) for split, points in lines.items()})
    if kept_step is not None:
        ax.axvline(kept_step, color=MUTED, linewidth=0.8, linestyle=(0, (3, 3)), zorder=1)
    last = max((points[0].max() for points in lines.values()), default=0)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(_thousands if last >= 10_000 else _whole))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    if max(map(abs, ax.get_ylim())) >= 1000:
        ax.yaxis.set_major_formatter(FuncFormatter(_whole))
    ax.set_xlabel("optimiser step")
    ax.set_ylabel(unit)
    ax.grid(visible=False, axis="x")
    return sheet


def _line(ax: Axes, points: np.ndarray, split: str) -> None:
    held_out = split == "validation"
    few = points.shape[1] <= 30
    ax.plot(
        *points, color=SPLITS[split], linewidth=2.0 if held_out else 1.6, zorder=3 if held_out else 2,
        marker="o" if few else "", markersize=4 if held_out else 3, markeredgecolor=PAPER, markeredgewidth=0.6,
    )  # fmt: skip


def _ceilings(ax: Axes, ceilings: Mapping[str, np.ndarray]) -> None:
    """The ceiling on each split, where it has one, inside an axis that holds 0."""
    low, high = ax.get_ylim()
    for split, points in ceilings.items():
        if points.size:
            ax.plot(*points, color=SPLITS[split], linewidth=1.2, linestyle=(0, (5, 3)), zorder=1)
            high = max(high, 1.06 * float(points[1].max()))
    ax.set_ylim(min(low, 0), high)


def _limit(ax: Axes, lines: Mapping[str, np.ndarray], prepared: int) -> None:
    """Limits the axis to what follows the first tenth of the steps, when the beginning would flatten it."""
    steps, values = np.concatenate(list(lines.values()), axis=1) if lines else np.zeros((2, 0))
    late = values[steps > max(0.1 * steps.max(initial=0), prepared)]
    if len(late) < 2:
        return
    low, high = float(late.min()), float(late.max())
    span = max(high - low, 1e-3 * max(abs(high), abs(low)), 1e-9)
    above, below = float(values.max()), float(values.min())
    cut = above if above > high + span else below if below < low - span else None
    if cut is None:
        return
    ax.set_ylim(low - 0.08 * span, high + 0.16 * span) if cut > high else ax.set_ylim(
        low - 0.16 * span, high + 0.08 * span
    )
    side, y, align = ("above", 0.98, "top") if cut > high else ("below", 0.03, "bottom")
    when = f"{cut:,.0f} before step {prepared:,}" if prepared else f"begins at {cut:,.0f}"
    words = f"{when}, {side}".replace("-", "\N{MINUS SIGN}")
    ax.text(0.93, y, words, transform=ax.transAxes, va=align, ha="right", color=MUTED, fontsize=10)


def _name_ends(ax: Axes, ends: dict[str, tuple[float, float]]) -> None:
    """Writes each line's name at its end, the two kept apart."""
    if not ends:
        return
    low, high = ax.get_ylim()
    apart = 0.085 * (high - low)
    places = {split: y for split, (_, y) in ends.items()}
    if len(places) == 2 and abs(places["train"] - places["validation"]) < apart:
        middle = sum(places.values()) / 2
        sign = 1 if places["train"] >= places["validation"] else -1
        places = {"train": middle + sign * apart / 2, "validation": middle - sign * apart / 2}
    for split, (x, _) in ends.items():
        ax.annotate(
            split, (x, min(max(places[split], low), high)), xytext=(6, 0), textcoords="offset points", va="center",
            color=MUTED if split == "train" else FIRST, annotation_clip=False, fontsize=10.5,
            fontweight="bold" if split == "validation" else "normal",
        )  # fmt: skip


def _thousands(value: float, _: int) -> str:
    return f"{value / 1000:,g}k" if value else "0"


def _whole(value: float, _: int) -> str:
    return f"{value:,.0f}".replace("-", "\N{MINUS SIGN}")
