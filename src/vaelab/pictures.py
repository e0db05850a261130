"""Images as they are: one pixel of data is one pixel of the picture, in stated colours and on a stated scale."""

from __future__ import annotations

import colorsys
import io

import numpy as np
from PIL import Image

from vaelab.errors import InputError

BLUE, GREEN, RED, GREY = (0.32, 0.48, 1.0), (0.24, 0.86, 0.32), (1.0, 0.27, 0.24), (1.0, 1.0, 1.0)
PURE = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0)}
STAINS = {
    "dna": BLUE, "dapi": BLUE, "hoechst": BLUE, "nucleus": BLUE, "nuclei": BLUE,
    "actin": RED, "phalloidin": RED, "tubulin": GREEN, "gfp": GREEN,
}  # fmt: skip


def channel_colours(channels: tuple[str, ...]) -> np.ndarray:
    """(channel, 3) in [0, 1]: the colour in which each channel is drawn in a composite.

    One channel is grey. Red, green, blue and well-known stains have their own colours; three channels without such
    names are read as red, green and blue; all others are spread evenly over the hues.

    >>> channel_colours(("red", "green", "blue")).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if len(channels) == 1:
        return np.array([GREY])
    names = [name.strip().lower() for name in channels]
    known = [PURE.get(name) or STAINS.get(name) for name in names]
    if all(known) and len(set(known)) == len(known):
        return np.array(known)
    if len(channels) == 3:
        return np.array([PURE["red"], PURE["green"], PURE["blue"]])
    if len(channels) == 2:
        return np.array([(0.0, 1.0, 0.0), (1.0, 0.0, 1.0)])
    return np.array([colorsys.hsv_to_rgb((0.61 + i / len(channels)) % 1, 0.72, 1.0) for i in range(len(channels))])


def composite(images: np.ndarray, colours: np.ndarray, *, white: float = 1.0) -> np.ndarray:
    """(image, height, width, 3) uint8: every channel in its colour, the brighter one winning at each pixel.

        pixel = max over channels of (colour * min(value / white, 1))

    So nothing is summed past white, and the scale doesn't depend on which images are shown together.

    Args:
        images: (image, channel, height, width) in [0, 1]; what lies outside is clipped.
        colours: (channel, 3) in [0, 1].
        white: The value that is drawn at full brightness, above 0.
    """
    if images.ndim != 4 or images.shape[1] != len(colours):
        raise InputError("images", f"be (image, {len(colours)}, height, width)", images.shape)
    values = np.clip(np.nan_to_num(images.astype(np.float32, copy=False)) / white, 0, 1)
    picture = np.zeros((len(images), *images.shape[2:], 3), np.float32)
    for channel, colour in enumerate(colours.astype(np.float32)):
        np.maximum(picture, values[:, channel, ..., None] * colour, out=picture)
    return np.rint(picture * 255).astype(np.uint8)


def shrink(images: np.ndarray, max_side: int) -> tuple[np.ndarray, int]:
    """Images no larger than max_side, by averaging whole blocks of pixels, and the block's side (1: untouched).

    Blocks at the right and the lower edge may be smaller.

    Args:
        images: (image, channel, height, width).
        max_side: Pixels, at least 1.
    """
    *_, height, width = images.shape
    block = -(-max(height, width) // max_side)
    if block == 1:
        return images, 1
    rows, columns = np.arange(0, height, block), np.arange(0, width, block)
    sums = np.add.reduceat(np.add.reduceat(images, rows, axis=2), columns, axis=3)
    sizes = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))
    return sums / sizes.astype(sums.dtype), block


def image_grid(tiles: np.ndarray, columns: int, *, gap: int = 2) -> np.ndarray:
    """(height, width, 4) uint8: tiles in rows, the gaps transparent.

    Args:
        tiles: (image, height, width, 3) uint8.
        columns: Tiles per row.
        gap: Pixels between tiles.
    """
    count, height, width, _ = tiles.shape
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    sheet = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 4), np.uint8)
    for i, tile in enumerate(tiles):
        y, x = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[y : y + height, x : x + width, :3] = tile
        sheet[y : y + height, x : x + width, 3] = 255
    return sheet


def reconstruction_pairs(originals: np.ndarray, *reconstructions: np.ndarray, gap: int = 1) -> np.ndarray:
    """(pair, height, width, 4) uint8: each original above its reconstruction, or its several ones.

    Args:
        originals: (image, height, width, 3) uint8.
        reconstructions: Each of the same shape.
        gap: Transparent pixels between them.
    """
    stacks = np.stack([originals, *reconstructions], axis=1)
    return np.stack([image_grid(stack, 1, gap=gap) for stack in stacks])


def traversal_grid(tiles: np.ndarray, *, gap: int = 2) -> np.ndarray:
    """(height, width, 4) uint8: one row per latent, one column per step.

    Args:
        tiles: (latent, step, height, width, 3) uint8.
        gap: Pixels between tiles.
    """
    latents, steps, *shape = tiles.shape
    return image_grid(tiles.reshape(latents * steps, *shape), steps, gap=gap)


def atlas(points: np.ndarray, tiles: np.ndarray, *, cells: int = 20) -> np.ndarray:
    """(height, width, 4) uint8: the plane in cells, each showing the image whose point is nearest the cell's middle.

    It holds the same square of the plane as `latent_scatter`. A cell without points stays empty.

    Args:
        points: (image, 2).
        tiles: (image, height, width, 3) uint8.
        cells: Cells per side.
    """
    middle, side = square(points)
    place = ((points - middle) / side + 0.5) * cells
    cell = np.clip(np.floor(place).astype(int), 0, cells - 1)
    distance = ((place - cell - 0.5) ** 2).sum(axis=1)
    height, width = tiles.shape[1:3]
    sheet = np.zeros((cells * height, cells * width, 4), np.uint8)
    for i in np.argsort(-distance, kind="stable"):
        y, x = (cells - 1 - cell[i, 1]) * height, cell[i, 0] * width
        sheet[y : y + height, x : x + width, :3] = tiles[i]
        sheet[y : y + height, x : x + width, 3] = 255
    return sheet


def picture_png(picture: np.ndarray) -> bytes:
    """A picture as PNG, grey where it is grey, one pixel for one pixel.

    Args:
        picture: (height, width, 3 or 4) uint8.
    """
    opaque = picture.shape[2] == 3 or bool((picture[..., 3] == 255).all())
    grey = bool((picture[..., 0] == picture[..., 1]).all() and (picture[..., 1] == picture[..., 2]).all())
    planes = [0] if grey else [0, 1, 2]
    data = picture[..., planes + ([] if opaque else [3])]
    buffer = io.BytesIO()
    Image.fromarray(data[..., 0] if data.shape[2] == 1 else data).save(buffer, format="PNG")
    return buffer.getvalue()


def square(points: np.ndarray) -> tuple[np.ndarray, float]:
    """The middle and the side of the upright square that holds all points, with a little room.

    Args:
        points: (image, 2).
    """
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, 1.04 * max(float((high - low).max()), 1e-9)
