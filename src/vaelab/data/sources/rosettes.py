"""Rosettes: closed curves from a known plane of two factors, which can be punctured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
from annotated_types import Ge, Le

from vaelab.data.collection import ImageCollection
from vaelab.data.sources._base import Hole, Source
from vaelab.data.sources._generated import render_in_blocks
from vaelab.errors import InputError
from vaelab.settings.ranges import AtLeast0

Subset = Literal["full", "punctured", "transects", "probed"]

NUM_ANGLES = 500
A_RANGE = (0.5, 2.0)
B_RANGE = (0.0, 2.0)
AXIS_LIMIT = 4.0
VALIDATION_SHARE = 501 / 5000
TRANSECTS = {"along b": ((1.25, 0.0), (1.25, 2.0)), "along a": ((0.5, 1.0), (2.0, 1.0)), "diagonal": ((0.5, 2), (2, 0))}
TRANSECT_POINTS = 15
PIXELS_AT_ONCE = 1 << 17


@dataclass(frozen=True, kw_only=True)
class RosettesSource(Source):
    """White closed curves on black with two exact factors, the scale a and the wave b.

        R(theta) = b*cos(5*theta) + a,    x = R*cos(theta),  y = R*sin(theta),    axes from -4 to 4

    a is uniform in [0.5, 2], b in [0, 2]. The table holds ``a``, ``b`` (the factors), ``inside_hole`` and ``split``;
    a transect's rows also hold ``transect`` (its name) and ``position`` (0 at its start, 1 at its end).
    Row i is the same for every ``num_images``, and for the full and the punctured set, but for its split.

    The ``probed`` set is one collection for both, so that their models can be compared: all points, then fresh ones
    that nobody is trained on, a fifth of them inside the hole, and the transects. Fresh points and transects are the
    test split; ``split`` trains on the whole plane, ``split_punctured`` counts the points inside the hole as test, too.

    *Source*: the plane, the hole and the transects are those of the blog series of 2021 that vaelab's study of a known
    latent space repeats (4,499 / 501 images for training / validation).

    >>> RosettesSource(num_images=10, size=32).load()
    ImageCollection(10 images, 1x32x32 uint8, channels: intensity; table: a, b, inside_hole, split)
    """

    num_images: Annotated[int, Ge(2)] = 5000
    """How many points are drawn from the plane; the transects are 45 in any case."""
    size: Annotated[int, Ge(8), Le(4096)] = 256
    """Height and width of an image, in pixels."""
    subset: Subset = "full"
    """``full``: all points for training and validation; ``punctured``: those inside the hole are the test split, unseen
    in training and validation; ``transects``: three lines of 15 points across the hole, all of the test split;
    ``probed``: one set for both, with fresh points and the transects as the test split."""
    hole_a: Annotated[float, Ge(A_RANGE[0]), Le(A_RANGE[1])] = 1.25
    """Centre of the hole on the axis a."""
    hole_b: Annotated[float, Ge(B_RANGE[0]), Le(B_RANGE[1])] = 1.0
    """Centre of the hole on the axis b."""
    hole_radius: Annotated[float, Ge(0), Le(10)] = 0.3
    """Radius of the hole, in units of a and b; a point on the rim is inside."""
    line_width: Annotated[float, Ge(0.1), Le(100)] = 2.0
    """Width of the white line, in pixels."""
    seed: AtLeast0 = 0
    """Seed of the points."""

    hole: ClassVar[Hole | None] = Hole(inside="inside_hole", factors=("a", "b"), line="transect", position="position")

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source.

        Raises:
            InputError: The hole leaves no image for training or validation.
        """
        tables = {"transects": self._transects, "probed": self._probed}
        table = tables.get(self.subset, self._points)()
        a, b = table["a"].to_numpy(), table["b"].to_numpy()
        images = render_in_blocks(
            self,
            lambda rows: render_rosettes(a[rows], b[rows], self.size, line_width=self.line_width),
            (len(table), 1, self.size, self.size),
            progress=progress,
        )
        return ImageCollection(images=images, table=table, channels=("intensity",), factors=("a", "b"))

    def _points(self) -> pd.DataFrame:
        unit = np.random.default_rng(self.seed).random((self.num_images, 2))
        table = self._with_hole(A_RANGE[0] + np.ptp(A_RANGE) * unit[:, 0], B_RANGE[0] + np.ptp(B_RANGE) * unit[:, 1])
        num_validation = max(1, round(self.num_images * VALIDATION_SHARE))
        full = np.where(np.arange(self.num_images) < self.num_images - num_validation, "train", "validation")
        punctured = np.where(table["inside_hole"], "test", full)
        if self.subset in ("punctured", "probed") and not {"train", "validation"} <= set(punctured):
            got = f"{self.hole_radius} with {self.num_images} images"
            mend = "Take a smaller hole or more images."
            raise InputError("hole_radius", "leave images for training and validation", got, mend)
        if self.subset == "probed":
            return table.assign(split=full, split_punctured=punctured)
        return table.assign(split=punctured if self.subset == "punctured" else full)

    def _probed(self) -> pd.DataFrame:
        """The points, fresh ones that are drawn apart from them, and the transects."""
        random = np.random.default_rng([self.seed, 1])
        centre, ranges = np.array([self.hole_a, self.hole_b]), np.array([A_RANGE, B_RANGE]).T
        low, high = np.maximum(ranges[0], centre - self.hole_radius), np.minimum(ranges[1], centre + self.hole_radius)
        count = max(1, self.num_images // 10)
        drawn = [
            self._with_hole(*(lo + (hi - lo) * random.random((20 * count, 2))).T) for lo, hi in ((low, high), ranges)
        ]
        inside = drawn[0][drawn[0]["inside_hole"]].head(-(-count // 5))
        outside = drawn[1][~drawn[1]["inside_hole"]].head(count - count // 5)
        fresh = pd.concat([inside, outside, self._transects()]).assign(split="test", split_punctured="test")
        return pd.concat([self._points(), fresh], ignore_index=True)

    def _transects(self) -> pd.DataFrame:
        position = np.linspace(0, 1, TRANSECT_POINTS)
        ends = np.array(list(TRANSECTS.values()), dtype=float)
        points = ends[:, :1] + position[:, None] * (ends[:, 1:] - ends[:, :1])
        table = self._with_hole(*points.reshape(-1, 2).T)
        names = np.repeat(list(TRANSECTS), TRANSECT_POINTS)
        return table.assign(split="test", transect=names, position=np.tile(position, len(TRANSECTS)))

    def _with_hole(self, a: np.ndarray, b: np.ndarray) -> pd.DataFrame:
        inside = np.hypot(a - self.hole_a, b - self.hole_b) <= self.hole_radius
        return pd.DataFrame({"a": a, "b": b, "inside_hole": inside})


def render_rosettes(a: np.ndarray, b: np.ndarray, size: int = 256, *, line_width: float = 2.0) -> np.ndarray:
    """Anti-aliased white rosettes on black, (image, 1, size, size) uint8.

        coverage = clip(line_width/2 + 1/2 - d, 0, min(1, line_width))

    where d is the exact distance in pixels from the pixel's centre to the closed polygon of 500 angles from 0 to 2 pi.
    Where R is negative, the curve passes through the origin to the other side.

    Args:
        a: Scale of each image, any number.
        b: Wave of each image, any number.
        size: Height and width, in pixels; they show -4 to 4 on both axes, y upward.
        line_width: In pixels, positive.

    Raises:
        InputError: a or b is not finite or not a list of numbers.

    >>> render_rosettes(np.array([2.0]), np.array([0.0]), 8, line_width=1)[0, 0, :, 3]
    array([  0, 115, 148,   0,   0, 148, 115,   0], dtype=uint8)
    """
    a, b = np.broadcast_arrays(np.atleast_1d(a), np.atleast_1d(b))
    if a.ndim != 1 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("render_rosettes.a and .b", "be finite numbers, one per image", f"shapes {a.shape}, {b.shape}")
    images = np.zeros((len(a), 1, size, size), np.uint8)
    per_block = max(1, min(64, (1 << 22) // size**2))
    for start in range(0, len(a), per_block):
        rows = slice(start, start + per_block)
        _draw_upper_half(images[rows, 0], _half_polygon(a[rows], b[rows], size), line_width)
        np.maximum(images[rows], images[rows, :, ::-1].copy(), out=images[rows])
    return images


def _half_polygon(a: np.ndarray, b: np.ndarray, size: int) -> np.ndarray:
    """Corners of the polygon's first half, (2, image, corner), in pixels from the centre.

    The polygon is its own mirror image in the x axis, segment by segment; the middle one, at theta = pi, crosses it.
    """
    theta = np.linspace(0, 2 * np.pi, NUM_ANGLES)[: NUM_ANGLES // 2 + 1]
    radius = b[:, None] * np.cos(5 * theta) + a[:, None]
    return (radius * np.stack([np.cos(theta), np.sin(theta)])[:, None] * (size / (2 * AXIS_LIMIT))).astype(np.float32)


def _draw_upper_half(canvas: np.ndarray, corners: np.ndarray, line_width: float) -> None:
    """Draws each segment, mirrored to y >= 0, into canvas (image, y, x): the largest coverage wins."""
    size, reach = canvas.shape[-1], np.float32(line_width / 2 + 0.5)
    middle, half = (corners[..., :-1] + corners[..., 1:]) / 2, np.diff(corners) / 2
    upward = np.where(middle[1] < 0, np.float32(-1), np.float32(1))
    middle[1] *= upward
    half[1] *= upward
    length = np.hypot(*half)
    along = half / np.maximum(length, np.float32(1e-12))
    along[0, length == 0] = 1

    centre = middle + np.float32(size / 2 - 0.5)
    low = np.maximum(np.ceil(centre - np.abs(half) - reach), 0).astype(np.int32)
    count = np.minimum(np.floor(centre + np.abs(half) + reach), size - 1).astype(np.int32) - low + 1
    image = np.broadcast_to(np.arange(len(canvas))[:, None], length.shape)
    _draw_by_box(canvas, count, [image, *low, *centre, *along, length], line_width)


def _draw_by_box(canvas: np.ndarray, count: np.ndarray, segments: list[np.ndarray], line_width: float) -> None:
    """Sorts the segments by the width and height of the box of pixels that they reach, and draws each kind at once."""
    base = canvas.shape[-1] + 1
    kind = np.where((count > 0).all(0), count[0] * base + count[1], 0).ravel()
    order = np.argsort(kind, kind="stable")
    segments = [part.ravel()[order] for part in segments]
    kinds, first = np.unique(kind[order], return_index=True)
    for value, begin, stop in zip(kinds.tolist(), first, [*first[1:], len(order)], strict=True):
        width, height = divmod(value, base)
        step = max(1, PIXELS_AT_ONCE // max(1, width * height))
        for at in range(begin, stop, step) if value else ():
            rows = slice(at, min(at + step, stop))
            _draw_boxes(canvas, [part[rows] for part in segments], width, height, line_width)


def _draw_boxes(canvas: np.ndarray, segments: list[np.ndarray], width: int, height: int, line_width: float) -> None:
    """Draws segments whose pixels all lie in a box of the same width and height."""
    image, left, bottom, centre_x, centre_y, along_x, along_y, half = (part[:, None] for part in segments)
    size = canvas.shape[-1]
    column, row = left + np.arange(width, dtype=np.int32), bottom + np.arange(height, dtype=np.int32)
    x, y = column - centre_x, row - centre_y
    across = (x * along_y)[:, None, :] - (y * along_x)[:, :, None]
    beyond = (x * along_x)[:, None, :] + (y * along_y)[:, :, None]
    np.abs(beyond, out=beyond)
    beyond -= half[..., None]
    np.maximum(beyond, 0, out=beyond)
    beyond *= beyond
    across *= across
    across += beyond
    distance = np.sqrt(across, out=across)
    level = np.subtract(np.float32(line_width / 2 + 0.5), distance, out=distance)
    np.clip(level, 0, min(1.0, line_width), out=level)
    level *= 255
    level += 0.5
    pixel = (image * size + row)[:, :, None] * size + column[:, None, :]
    np.maximum.at(canvas.reshape(-1), pixel.reshape(-1), level.astype(np.uint8).reshape(-1))
