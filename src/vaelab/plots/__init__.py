"""Plots: draw what was computed, and compute nothing.

Charts are matplotlib figures made without pyplot; `svg` and `png` turn them into bytes. Pictures are arrays of pixels.
"""

from __future__ import annotations

from vaelab.plots.bars import fit_histogram, rate_bars
from vaelab.plots.curves import curve
from vaelab.plots.dots import Dot, dot_rows
from vaelab.plots.pictures import (
    atlas,
    channel_colours,
    composite,
    image_grid,
    picture_png,
    reconstruction_pairs,
    shrink,
    traversal_grid,
)
from vaelab.plots.scatter import Classes, class_panel, latent_scatter
from vaelab.plots.sheet import Row, Tile, sheet
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
    "curve",
    "dot_rows",
    "fit_histogram",
    "image_grid",
    "latent_scatter",
    "picture_png",
    "pixels_of",
    "png",
    "rate_bars",
    "reconstruction_pairs",
    "sheet",
    "shrink",
    "svg",
    "traversal_grid",
]
