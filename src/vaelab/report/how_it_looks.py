"""What does it look like? Reconstructions, and samples beside real images."""

from __future__ import annotations

from html import escape

import numpy as np

from vaelab.plots import reconstruction_pairs
from vaelab.report.display import PAGE, colour, colour_words, draw, gap_for, grid, per_row, scale_for, scroll
from vaelab.report.evidence import Evidence, Pairs
from vaelab.report.html import fold, heading, paragraph, picture, section, tiles
from vaelab.report.panels import components, other_conditions
from vaelab.report.words import number

PAIR_SIDE, BLOCK_SIDE = 96, 60
"""CSS pixels, about, of one image in a pair, and among the samples."""
PAIR_ROWS = 3


def how_it_looks(evidence: Evidence) -> str:
    """The section with reconstructions and samples."""
    pairs = pair_tiles(evidence, evidence.pairs, "Held-out images above their reconstructions", rows=PAIR_ROWS)
    below = (
        "Each column: the original above, below it the first stage's reconstruction (high fidelity), and at the bottom "
        "the second stage's (low fidelity)."
        if evidence.first
        else "Each pair: the original above, the reconstruction below."
    )
    like = (
        f" Each sample has the {' and '.join(evidence.conditions)} of the real image in the same place."
        if evidence.conditions
        else ""
    )
    return section(
        "looks",
        "What does it look like?",
        "Nothing here was picked: held-out images are drawn at random with a fixed seed, and samples are the first "
        "ones.",
        heading("Held-out images and their reconstructions"),
        paragraph(f"{below} Click or tap a picture to enlarge it.", "note"),
        pairs,
        _channels(evidence),
        other_conditions(evidence),
        heading("New images from the prior"),
        '<div class="sides">',
        _block(evidence, evidence.samples, "Samples"),
        _block(evidence, evidence.real, "Real, held out"),
        "</div>",
        paragraph(
            "Samples are the mean of p(x|z) at codes z drawn from the prior, without pixel noise. Where they look "
            "unlike the real images, the prior puts codes where no image has its code, or the decoder lacks detail."
            + like,
            "note",
        ),
        components(evidence),
        paragraph(colour_words(evidence), "note"),
    )


def pair_tiles(evidence: Evidence, pairs: Pairs, label: str, *, rows: int = 1, fits: bool = False) -> str:
    """As many pairs of original and reconstruction as fill so many rows, with the image's number and its fit below."""
    count = rows * per_row(evidence.image_shape, PAIR_SIDE)
    both = reconstruction_pairs(*(colour(evidence, images[:count]) for images in _levels(pairs)))
    scale = scale_for(evidence.image_shape, PAIR_SIDE)
    shown = zip(both, pairs.rows, pairs.fits, strict=False)
    return tiles(
        (
            picture(
                pixels,
                alt=f"Image {row} above its reconstruction.",
                scale=scale,
                caption=f"#{row}" + (f"\nfit {number(float(fit), digits=2)}" if fits else ""),
            )
            for pixels, row, fit in shown
        ),
        label=label,
        width=round(scale * evidence.image_shape[2]),
    )


def _levels(pairs: Pairs) -> list[np.ndarray]:
    """The images from top to bottom."""
    first = [] if pairs.first is None else [pairs.first]
    return [pairs.originals, *first, pairs.reconstructions]


def _channels(evidence: Evidence) -> str:
    """The first pairs channel by channel, in grey."""
    if len(evidence.channels) == 1:
        return ""
    count, rows = per_row(evidence.image_shape, PAIR_SIDE), []
    for channel, name in enumerate(evidence.channels):
        pairs = [x[:count] for x in _levels(evidence.pairs)]
        drawn, scale = draw(evidence, np.concatenate(pairs), PAIR_SIDE, channel)
        alt = f"Channel {name}: held-out images above their reconstructions."
        strip = picture(grid(drawn, len(pairs[0]), scale), alt=alt, scale=scale, kind="strip")
        rows.append(f"<h4>{escape(name)}</h4>{scroll(strip, alt)}")
    return fold(f"Each of the {len(evidence.channels)} channels alone", "".join(rows))


def _block(evidence: Evidence, images: np.ndarray, title: str) -> str:
    """A square of images that takes half of the page."""
    drawn, scale = draw(evidence, images, BLOCK_SIDE)
    columns = max(1, (PAGE // 2 - 8) // (scale * (drawn.shape[2] + gap_for(scale))))
    columns = min(columns, max(1, int(len(drawn) ** 0.5)))
    sheet = picture(grid(drawn[: columns**2], columns, scale), alt=f"{title}.", scale=scale, kind="block")
    return f"<div><h4>{escape(title)}</h4>{sheet}</div>"
