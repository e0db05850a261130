"""One picture as its file stores it, and the two rules that all formats share: transparency and orientation."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from vaelab.data.limits import Unreadable

Alpha = Literal["opaque", "drop", "keep"]
ORIENTATION = 274
TURNED = "{} turned as the camera noted (Exif orientation)"
COLOURS = ("red", "green", "blue")
INKS = ("cyan", "magenta", "yellow", "black")
FROM_COUNT = {1: ("intensity",), 2: ("intensity", "alpha"), 3: COLOURS, 4: (*COLOURS, "alpha")}


class Picture(NamedTuple):
    """One image of one file."""

    pixels: np.ndarray
    """(channel, height, width), any type; often a view."""
    names: tuple[str, ...]
    """One per channel."""
    notes: tuple[str, ...] = ()
    """How it was read where that could be otherwise, a sentence with {} for how many files."""


def without_alpha(images: np.ndarray, names: tuple[str, ...], alpha: Alpha) -> tuple[np.ndarray, tuple[str, ...]]:
    """The images and their channels' names as the setting says: the alpha channel left out or kept.

    Args:
        images: (..., channel, height, width).
        names: One per channel.
        alpha: Leave it out where it is opaque everywhere, leave it out, or keep it.

    Raises:
        Unreadable: It should be opaque and isn't.
    """
    if alpha == "keep" or "alpha" not in names:
        return images, names
    place = names.index("alpha")
    top = 1 if images.dtype.kind in "fb" else np.iinfo(images.dtype).max
    if alpha == "opaque" and (images[..., place, :, :] != top).any():
        raise Unreadable("has an alpha channel that is not opaque; set alpha to drop or keep it")
    others = names[:place] + names[place + 1 :]
    last = place == len(names) - 1
    return (images[..., :-1, :, :] if last else np.delete(images, place, -3)), others


def orientation(exif: bytes) -> int:
    """1 to 8, as a photograph's Exif block says; 1 where it says nothing that can be read."""
    notes = Image.Exif()
    try:
        notes.load(exif)
        return valid_orientation(notes.get(ORIENTATION))
    except Exception:  # a note that is broken says nothing; the pixels are whole
        return 1


def valid_orientation(value: object) -> int:
    """The same number where it is one from 1 to 8, else 1.

    >>> valid_orientation(6), valid_orientation(None), valid_orientation(9)
    (6, 1, 1)
    """
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(picture: Picture, turn: int) -> Picture:
    """The picture as it is meant to be seen: `turn` says where the first row and column of the file belong.

    *Source*: Exif 2.32, section 4.6.4, tag Orientation.

    >>> pixels = np.arange(6).reshape(1, 2, 3)
    >>> upright(Picture(pixels, ("intensity",)), 6).pixels.tolist()
    [[[3, 0], [4, 1], [5, 2]]]
    """
    if turn == 1:
        return picture
    pixels = picture.pixels
    if turn >= 5:  # rows are columns
        pixels = pixels.transpose(0, 2, 1)
    if turn in (2, 3, 6, 7):
        pixels = pixels[:, :, ::-1]
    if turn in (3, 4, 7, 8):
        pixels = pixels[:, ::-1]
    return Picture(pixels, picture.names, (*picture.notes, TURNED))


def coloured(indices: np.ndarray, colours: np.ndarray, alphas: np.ndarray | None) -> Picture:
    """The picture that a palette stands for: grey where the whole palette is, with alpha where it has any.

    Args:
        indices: (height, width), uint8.
        colours: (entry, 3), uint8.
        alphas: Opacity of the first entries, uint8; None where all are opaque.

    Raises:
        Unreadable: A pixel points beyond the palette.
    """
    if indices.size and int(indices.max()) >= len(colours):
        raise Unreadable("is damaged: pixels point beyond its palette")
    grey = bool((colours == colours[:, :1]).all())
    planes = [colours[:, i][indices] for i in range(1 if grey else 3)]
    names = ("intensity",) if grey else COLOURS
    if alphas is not None:
        opacity = np.full(256, 255, np.uint8)
        opacity[: len(alphas)] = alphas
        planes.append(opacity[indices])
        names = (*names, "alpha")
    return Picture(np.stack(planes), names)
