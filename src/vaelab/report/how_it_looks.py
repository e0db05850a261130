"""What does it look like? Reconstructions, and samples beside real images."""

from __future__ import annotations

from html import escape

import numpy as np

from vaelab.plots import channel_colours, composite, image_grid, reconstruction_pairs
from vaelab.report.evidence import Evidence, Pairs
from vaelab.report.html import fold, heading, paragraph, picture, section, tiles
from vaelab.report.words import number

PAIR_SIDE, BLOCK_SIDE = 96, 56
"""CSS pixels, about, of one image in a pair, and among the samples."""
PAGE, GAP = 1080, 10
"""CSS pixels: the page's width, and between tiles."""


def how_it_looks(evidence: Evidence) -> str:
    """The section with reconstructions and samples."""
    colours = channel_colours(evidence.channels)
    shown = composite(evidence.samples, colours, white=evidence.white)
    real = composite(evidence.pairs.originals, colours, white=evidence.white)[: len(shown)]
    scale = scale_for(evidence.image_shape, BLOCK_SIDE)
    return section(
        "looks",
        "What does it look like?",
        "Nothing here was picked: the held-out images are a random draw with a fixed seed, and the samples are the first ones.",
        heading("Held-out images and their reconstructions"),
        paragraph("Each pair: the original above, the model's reconstruction below. Click or tap a picture to enlarge it.", "note"),
        pair_tiles(evidence, evidence.pairs, "Held-out images above their reconstructions"),
        _channels(evidence),
        heading("New images from the prior"),
        '<div class="sides"><div>',
        f"<h4>Samples</h4>{picture(_square(shown), alt='Images sampled from the model.', scale=scale, kind='block')}",
        f"</div><div><h4>Real, held out</h4>{picture(_square(real), alt='Held-out images.', scale=scale, kind='block')}</div></div>",
        paragraph(
            "Samples are the mean of p(x|z) at draws z from the prior, without pixel noise, at the same scale as the real "
            "images beside them. Where they look unlike them, the prior and the codes of real images don't meet.", "note",
        ),
        paragraph(colour_words(evidence, colours), "note"),
    )  # fmt: skip


def pair_tiles(evidence: Evidence, pairs: Pairs, label: str) -> str:
    """Pairs of original and reconstruction, with the fit below where it is known."""
    colours = channel_colours(evidence.channels)
    originals, drawn = (composite(x, colours, white=evidence.white) for x in (pairs.originals, pairs.reconstructions))
    both = reconstruction_pairs(originals, drawn)
    fits = [number(float(fit)) for fit in pairs.fits] or [""] * len(both)
    return tiles(
        (
            picture(
                pixels, alt=f"Image {row} above its reconstruction.", scale=scale_for(evidence.image_shape),
                caption=f"#{row}" + (f"\n{fit}" if fit else ""), kind="tile",
            )
            for pixels, row, fit in zip(both, pairs.rows, fits, strict=True)
        ),
        label=label,
        width=scale_for(evidence.image_shape) * evidence.image_shape[2],
    )  # fmt: skip


def scale_for(image_shape: tuple[int, int, int], side: int = PAIR_SIDE) -> int:
    """CSS pixels per pixel, a whole number, that make an image about so large."""
    return max(1, round(side / max(image_shape[1:])))


def per_row(image_shape: tuple[int, int, int]) -> int:
    """Pairs in one row of a full page."""
    return max(1, (PAGE + GAP) // (scale_for(image_shape) * image_shape[2] + GAP))


def colour_words(evidence: Evidence, colours: np.ndarray) -> str:
    """How pictures are coloured and scaled, in words."""
    scale = "White is 1" if evidence.white == 1 else f"Full brightness is {evidence.white:.2f}, so that dark images can be seen,"
    scale = f"Black is 0 and {scale[0].lower() + scale[1:]} in the model's scale ({evidence.stored}); nothing is stretched image by image."
    if len(evidence.channels) == 1:
        return scale
    named = ", ".join(f"{name} {_hue(colour)}" for name, colour in zip(evidence.channels, colours, strict=True))
    return f"Channels are overlaid, the brightest winning at each pixel: {named}. {scale}"


def _channels(evidence: Evidence, count: int = 8) -> str:
    """The first pairs channel by channel, in grey."""
    if len(evidence.channels) == 1:
        return ""
    first = [x[:count] for x in (evidence.pairs.originals, evidence.pairs.reconstructions)]
    grey = channel_colours(("",))
    rows = []
    for channel, name in enumerate(evidence.channels):
        one = np.concatenate([composite(x[:, channel : channel + 1], grey, white=evidence.white) for x in first])
        sheet = image_grid(one, len(first[0]))
        alt = f"Channel {name}: {len(first[0])} held-out images above their reconstructions."
        strip = picture(sheet, alt=alt, scale=scale_for(evidence.image_shape), kind="strip")
        rows.append(f"<h4>{escape(name)}</h4>{scroll(strip, alt)}")
    return fold(f"Each of the {len(evidence.channels)} channels alone", "".join(rows))


def scroll(inside: str, label: str) -> str:
    """What may be wider than the page and then scrolls sideways."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{inside}</div>'


def _square(shown: np.ndarray) -> np.ndarray:
    return image_grid(shown, max(1, int(np.ceil(len(shown) ** 0.5))))


def _hue(colour: np.ndarray) -> str:
    names = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0), "magenta": (1, 0, 1), "cyan": (0, 1, 1)}
    names |= {"white": (1, 1, 1), "orange": (1, 0.5, 0), "violet": (0.5, 0, 1), "spring green": (0, 1, 0.5)}
    pure = (colour - colour.min()) / max(np.ptp(colour), 1e-9) if np.ptp(colour) > 0.05 else np.ones(3)
    return min(names, key=lambda name: float(((pure - np.array(names[name])) ** 2).sum()))


