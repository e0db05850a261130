"""Plots: draw what was computed, and compute nothing.

Charts are matplotlib figures made without pyplot; `svg` and `png` turn them into bytes. Pictures are arrays of pixels.
"""

from __future__ import annotations

from vaelab.pictures import (
    atlas,
    channel_colours,
    composite,
    image_grid,
    picture_png,
    reconstruction_pairs,
    shrink,
    traversal_grid,
)
from vaelab.plots.bars import fit_histogram, rate_bars
from vaelab.plots.confusion import confusion
from vaelab.plots.curves import curve
from vaelab.plots.dots import Dot, dot_rows
from vaelab.plots.predicted import predicted
from vaelab.plots.profile import profile
from vaelab.plots.reliability import reliability
from vaelab.plots.scatter import Classes, class_panel, latent_scatter
from vaelab.plots.series import lines, panels
from vaelab.plots.sheet import Row, Tile, sheet
from vaelab.plots.space import space
from vaelab.plots.style import pixels_of, png, svg

__all__ = [
    "Classes",
    "Dot",
    "Row",
    "Tile",
    "atlas",
    "channel_colours",
    "class_panel",
    "composite",
    "confusion",
    "curve",
    "dot_rows",
    "fit_histogram",
    "image_grid",
    "latent_scatter",
    "lines",
    "panels",
    "picture_png",
    "pixels_of",
    "png",
    "predicted",
    "profile",
    "rate_bars",
    "reconstruction_pairs",
    "reliability",
    "sheet",
    "shrink",
    "space",
    "svg",
    "traversal_grid",
]
