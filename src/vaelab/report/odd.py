"""A gallery of odd images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab import files
from vaelab.data.feed import Feed
from vaelab.inference import images_at_once, reconstruct
from vaelab.plots import reconstruction_pairs
from vaelab.report.html import page
from vaelab.report.look import Shade
from vaelab.report.pairs import SIDE
from vaelab.report.pictures import Picture, colour, scale_for
from vaelab.report.table import captions
from vaelab.report.words import number, plural
from vaelab.runs import Run
from vaelab.runs.odd import Odd


class Gallery(NamedTuple):
    """Images under one heading."""

    heading: str
    words: str
    label: str
    tiles: list[tuple[Picture, str, str]]
    """Picture, what it shows, and what stands below."""
    width: int
    """CSS pixels of a tile."""


def write_gallery(path: Path | str, run: Run, odd: Odd, *, label: str = "", show: int = 48) -> None:
    """Writes one HTML file: the images fitted worst, and those whose codes lie farthest from the others'.

    Args:
        path: The HTML file.
        run: Whose model looked.
        odd: What it found.
        label: The column that said the class; empty: none.
        show: Images in each part at most.

    Raises:
        InputError: The place cannot be written.
    """
    about = plural(len(odd.rows), "image")
    classes = f", each compared with those of its {label}" if label else ""
    lede = (
        f"{about}{classes}. Odd does not mean bad: an image may be an artefact, a rare kind, or hold more detail than "
        "others. All of them stand in the table that was written beside this page."
    )
    values = {
        "folder": run.called,
        "images": about,
        "lede": lede,
        "galleries": list(_galleries(run, odd, label, show)),
    }
    files.write(path, page("odd.html", values))


def _galleries(run: Run, odd: Odd, label: str, show: int) -> Iterator[Gallery]:
    """By fit, then by distance where it is known."""
    kind = f" of its {label}" if label else ""
    said = (
        f"Each image above its reconstruction. The fit is in robust standard deviations from the usual image{kind}: "
        "0 is usual, below \N{MINUS SIGN}3.5 is bad."
    )
    yield _gallery(run, odd, odd.by_fit[:show], "Drawn worst", said, "fit", odd.fits, label)
    if len(odd.by_distance):
        said = (
            "From top to bottom the image, its reconstruction, and the training image whose code is nearest. The "
            "distance is the mean to the 10 nearest codes of training images, where 1 is usual among these."
        )
        yield _gallery(
            run, odd, odd.by_distance[:show], "Codes far from others", said, "distance", odd.distances, label
        )


def _gallery(
    run: Run, odd: Odd, places: np.ndarray, heading: str, words: str, by: str, values: np.ndarray, label: str
) -> Gallery:
    """Images with their reconstructions, by distance also with their neighbours."""
    table, rows = odd.images.table, odd.rows[places]
    x = Feed(odd.images.images, run.intensity, run.experiment.data.binarize)(rows).clone()
    model = run.given_table(table.iloc[rows])
    levels = [x.numpy(), reconstruct(model, x, images_at_once(run.model.image_shape))]
    if by == "distance":
        levels.append(run.feed(odd.nearest[places]).numpy())
    shade = Shade.of(run, levels[0])
    scale = scale_for(run.model.image_shape, SIDE)
    stacks = reconstruction_pairs(*(colour(shade, level) for level in levels))
    named = captions(table, rows, label)
    below = [f"{name}\n{by} {number(value, digits=2)}" for name, value in zip(named, values[places], strict=True)]
    tiles = [
        (Picture(pixels, scale), f"Image {row} above its reconstruction.", said)
        for pixels, row, said in zip(stacks, rows.tolist(), below, strict=True)
    ]
    return Gallery(heading, words, heading, tiles, round(scale * run.model.image_shape[2]))
