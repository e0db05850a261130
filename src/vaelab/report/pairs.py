"""Held-out images above what each stage of the model makes of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from markupsafe import Markup

from vaelab.plots import Row, picture_png, reconstruction_pairs, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays
from vaelab.report.pictures import Picture, colour, per_row, scale_for, tile
from vaelab.report.table import captions
from vaelab.report.words import number

SIDE = 96
"""CSS pixels, about, of one image in a pair."""


def num_pairs(look: Look, rows: int) -> int:
    """As many pairs as fill so many rows of a page, and may be drawn."""
    return look.affords(rows * per_row(look.image_shape, SIDE), 0.1, 4)


def pairs(look: Look, places: np.ndarray) -> Arrays:
    """The measured images at these places with their reconstructions.

    Returns:
        rows: (pair,), in the collection.
        names: (pair,), the number of each, and the name and the class of its image where the table has such.
        fits: (pair,), how well each is fitted against the others.
        levels: (level,), what ``images`` holds from top to bottom: original, then each stage's reconstruction.
        images: (level, pair, channel, height, width) in [0, 1]: the mean of p(x|z) at the posterior's mean.
    """
    originals = look.originals(places)
    several = len(look.stages) > 1
    return {
        "rows": look.rows[places],
        "names": np.array(captions(look.table, places, look.label(), look.rows[places])),
        "fits": look.fits[places],
        "levels": np.array(["original", *(f"{stage} stage" if several else "reconstruction" for stage in look.stages)]),
        "images": np.stack([originals, *(look.reconstruct(places, stage) for stage in look.stages)]),
    }


def pair_tiles(look: Look, arrays: Arrays, label: str, *, fits: bool = False) -> Markup:
    """Each image above its reconstructions, with its number, name and class (and its fit) below."""
    scale = scale_for(look.image_shape, SIDE)
    stacks = reconstruction_pairs(*(colour(look.shade, images) for images in arrays["images"]))
    shown = [(Picture(pixels, scale), *words) for pixels, words in zip(stacks, _words(arrays, fits), strict=True)]
    return html(
        """{% call tiles(label, width) %}
        {% for shown, row, words in all %}
        {{ picture(shown, "Image " ~ row ~ " above its reconstruction.", words) }}
        {% endfor %}
        {% endcall %}""",
        label=label, width=round(scale * look.image_shape[2]), all=shown,
    )  # fmt: skip


def pair_sheet(look: Look, arrays: Arrays, title: str, *, fits: bool = False) -> bytes:
    """The same as a PNG."""
    columns, rows = per_row(look.image_shape, SIDE), list[Row]()
    words = [said for _, said in _words(arrays, fits)]
    for start in range(0, len(words), columns):
        for level, images in zip(arrays["levels"], arrays["images"], strict=True):
            some = zip(images[start : start + columns], words[start : start + columns], strict=True)
            above = level == arrays["levels"][0]
            rows.append((str(level), [tile(look, image, said if above else "") for image, said in some]))
    return picture_png(sheet(rows, title=title))


def _words(arrays: Arrays, fits: bool) -> Iterator[tuple[int, str]]:
    """Row and caption of each pair."""
    for row, name, fit in zip(*(arrays[key].tolist() for key in ("rows", "names", "fits")), strict=True):
        yield row, name + (f"\nfit {number(fit, digits=2)}" if fits else "")
