"""How every picture looks: colours, type and lines, and what turns a figure into SVG or PNG."""

from __future__ import annotations

import io
import re
import warnings
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

INK, MUTED, GRID, PAPER = "#1b2027", "#5d6673", "#e3e6ea", "#ffffff"
FIRST, SECOND = "#2459b5", "#a9b4c2"
"""What matters most in a picture (held-out images, active latents), and what it is seen against."""

PALETTE = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
"""Ten colours that people with any colour vision can tell apart (Petroff 2021, https://arxiv.org/abs/2107.02270)."""

RC: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.labelcolor": MUTED,
    "axes.labelsize": 11,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "vaelab",
}
styled = mpl.rc_context(RC)
"""A decorator: what the function draws has this style, and matplotlib's settings are as before when it returns."""

_VARIABLES = {INK: "ink", MUTED: "muted", GRID: "grid", PAPER: "paper", FIRST: "first", SECOND: "second"} | {
    colour: f"c{i}" for i, colour in enumerate(PALETTE)
}


def figure(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure of so many CSS pixels, without pyplot, with one pair of axes."""
    sheet = Figure(figsize=(width / 72, height / 72), dpi=72, layout="constrained")
    FigureCanvasAgg(sheet)
    return sheet, sheet.subplots()


@styled
def png(sheet: Figure, scale: float = 2.0, *, title: str = "") -> bytes:
    """The figure as a PNG on white, `scale` pixels per CSS pixel, with a title above it or none."""
    if title:
        sheet.suptitle(title, fontsize=13)
    return _save(sheet, format="png", dpi=72 * scale, facecolor=PAPER)


def pixels_of(sheet: Figure, scale: float = 1.5) -> np.ndarray:
    """(height, width, 3) uint8: the figure as `png` draws it."""
    return np.asarray(Image.open(io.BytesIO(png(sheet, scale))).convert("RGB"))


@styled
def svg(sheet: Figure) -> str:
    """The figure as an <svg> element that takes its fonts and, through CSS variables, its colours from the page.

    The page may set ``--ink --muted --grid --paper --first --second --c0 ... --c9``; unset, the light colours stand.
    """
    text = _save(sheet, format="svg", transparent=True, metadata={"Date": None}).decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    head = r'<svg viewBox="\1" aria-hidden="true" stroke-linejoin="round" stroke-linecap="butt">'
    text = re.sub(r'<svg[^>]*viewBox="([^"]*)"[^>]*>', head, text, count=1)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"font: (?:(bold|[0-9]+) )?([\d.]+)px [^;\"]*", _font, text)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    for colour, name in _VARIABLES.items():
        text = text.replace(colour, f"var(--{name}, {colour})")
    return re.sub(r"\n\s*", "\n", text).strip()


def _save(sheet: Figure, **how: Any) -> bytes:
    """Without a warning for letters that matplotlib's own font lacks: the page's fonts have them."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        sheet.savefig(buffer, **how)
    return buffer.getvalue()


def _font(found: re.Match[str]) -> str:
    weight, size = found.groups()
    return f"font-size: {size}px" + (f"; font-weight: {weight}" if weight else "")
