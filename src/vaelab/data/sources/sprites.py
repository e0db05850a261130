"""Sprites: white shapes on black over a full grid of five factors, as in dSprites."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from math import prod
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from annotated_types import Ge, Le

from vaelab.data.collection import ImageCollection
from vaelab.data.sources._base import Source
from vaelab.data.sources._generated import render_in_blocks
from vaelab.errors import InputError, unknown_name
from vaelab.settings.ranges import AtLeast0, AtLeast1

Shape = Literal["square", "ellipse", "heart"]
SHAPES: tuple[Shape, ...] = ("square", "ellipse", "heart")
Steps = Annotated[int, Ge(1), Le(1000)]
FACTORS = ("shape", "scale", "orientation", "x", "y")
SQUARE_SIDE = 20.6 / 64
ELLIPSE_AXES = (15.2 / 64, 8.8 / 64)
HEART_SIDE = 16.5 / 64
HEART_RISE = np.sqrt(2) * (3 * np.pi + 4) / (12 * (4 + np.pi))
REACH = 15.5 / 64
TRAVEL = 31 / 64
COMPARE = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True, kw_only=True)
class SpritesSource(Source):
    """White shapes on black over a grid of shape, scale, orientation, x and y.

    The whole grid is that of dSprites: 3 shapes, 6 scales from 0.5 to 1, 40 orientations from 0 to 2 pi, 32 x and 32 y
    from 0 to 1: 737,280 images, y changing fastest; 3 GB at 64x64, which go to the cache folder and are memory-mapped.
    The first and the last orientation look alike, and so do, without anti-aliasing, a few of a square or small ellipse.

    The table has a column for each factor's value and one for its place on the grid, from 0: ``shape_class`` (always
    0 square, 1 ellipse, 2 heart), ``scale_class`` and so on, which are the factors; with ``held_out``, also ``split``.
    Row i of a draw is the same however many are drawn.

    *Source*: the factor grid of dSprites (L. Matthey, I. Higgins, D. Hassabis, A. Lerchner, 2017,
    https://github.com/google-deepmind/dsprites-dataset). The drawing is vaelab's own: same grid, other pixels.

    >>> sprites = SpritesSource(num_images=1000, held_out="shape=heart,x>=16").load()
    >>> sprites.images.shape, sprites.factors
    ((1000, 1, 64, 64), ('shape_class', 'scale_class', 'orientation_class', 'x_class', 'y_class'))
    """

    num_images: AtLeast1 | None = 50_000
    """How many images are drawn from the grid without replacement; none: the whole grid in its order."""
    size: Annotated[int, Ge(8), Le(1024)] = 64
    """Height and width of an image, in pixels."""
    shapes: tuple[Shape, ...] = SHAPES
    """Which shapes: square, ellipse, heart."""
    num_scales: Steps = 6
    """Scales, evenly from 0.5 to 1; a single one is 1."""
    num_orientations: Steps = 40
    """Orientations, evenly from 0 to 2 pi, both included; a single one is 0."""
    num_x: Steps = 32
    """Horizontal positions, evenly from 0 to 1; a single one is the middle."""
    num_y: Steps = 32
    """Vertical positions, evenly from 0 to 1; a single one is the middle."""
    held_out: str = ""
    """Which combination is the test split, all else training: conditions on grid places that must all hold, such as
    ``shape=heart,x>=16``; the comparisons are = != < <= > >=. Empty: no split."""
    anti_alias: bool = False
    """Grey levels at the edges instead of 0 and 255 only."""
    seed: AtLeast0 = 0
    """Seed of the draw from the grid."""

    def __post_init__(self):
        super().__post_init__()
        if not self.shapes or len(set(self.shapes)) < len(self.shapes):
            raise InputError("shapes", "name each shape once, at least one", self.shapes)
        total = prod(self.grid_shape)
        if self.num_images is not None and self.num_images > total:
            raise InputError("num_images", f"be at most {total:,}", self.num_images, "That is the whole grid.")
        _conditions(self.held_out)

    @property
    def grid_shape(self) -> tuple[int, int, int, int, int]:
        """How many shapes, scales, orientations, x and y the grid has."""
        return len(self.shapes), self.num_scales, self.num_orientations, self.num_x, self.num_y

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source.

        Raises:
            InputError: What is held out is nothing, or all there is.
        """
        table = self._table()
        columns = [table[name].to_numpy() for name in ("shape_class", *FACTORS[1:])]
        images = render_in_blocks(
            self,
            lambda rows: render_sprites(*[c[rows] for c in columns], size=self.size, anti_alias=self.anti_alias),
            (len(table), 1, self.size, self.size),
            progress=progress,
        )
        factors = tuple(f"{name}_class" for name in FACTORS)
        return ImageCollection(images=images, table=table, channels=("intensity",), factors=factors)

    def _table(self) -> pd.DataFrame:
        total = int(np.prod(self.grid_shape))
        rng = np.random.default_rng(self.seed)
        place = np.arange(total) if self.num_images is None else rng.permutation(total)[: self.num_images]
        shape, *others = np.unravel_index(place, self.grid_shape)
        values = (
            np.linspace(1, 0.5, self.num_scales)[::-1],
            np.linspace(0, 2 * np.pi, self.num_orientations),
            np.linspace(0, 1, self.num_x) if self.num_x > 1 else np.array([0.5]),
            np.linspace(0, 1, self.num_y) if self.num_y > 1 else np.array([0.5]),
        )
        shape = np.array([SHAPES.index(name) for name in self.shapes])[shape]
        table = pd.DataFrame({"shape": np.array(SHAPES)[shape]})
        for name, value, at in zip(FACTORS[1:], values, others, strict=True):
            table[name] = value[at]
        for name, at in zip(FACTORS, (shape, *others), strict=True):
            table[f"{name}_class"] = at
        return self._with_split(table) if self.held_out else table

    def _with_split(self, table: pd.DataFrame) -> pd.DataFrame:
        held_out = np.logical_and.reduce(
            [compare(table[f"{name}_class"], value) for name, compare, value in _conditions(self.held_out)]
        )
        if held_out.all() or not held_out.any():
            got = f"{self.held_out!r}, which holds for {held_out.sum():,} of {len(table):,} images"
            raise InputError("held_out", "hold for some of the images", got)
        return table.assign(split=np.where(held_out, "test", "train"))


def _conditions(text: str) -> list[tuple]:
    """(factor, comparison, class) of each condition in such as ``shape=heart,x>=16``."""
    conditions = []
    for part in text.split(",") if text.strip() else ():
        match = re.fullmatch(r"\s*(\w+)\s*(<=|>=|!=|=|<|>)\s*(\w+)\s*", part)
        if not match:
            raise InputError("held_out", "be conditions such as shape=heart,x>=16", repr(text))
        name, sign, value = match.groups()
        if name not in FACTORS:
            raise unknown_name("held_out", name, FACTORS)
        if name == "shape" and value not in SHAPES:
            raise unknown_name("held_out", value, SHAPES)
        if name != "shape" and not value.isdecimal():
            mend = "It counts the factor's values from 0."
            raise InputError(f"held_out, {name}", "be compared to a place on the grid", repr(value), mend)
        conditions.append((name, COMPARE[sign], SHAPES.index(value) if name == "shape" else int(value)))
    return conditions


def render_sprites(
    shape: np.ndarray,
    scale: np.ndarray,
    orientation: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    *,
    size: int = 64,
    anti_alias: bool = False,
) -> np.ndarray:
    """White shapes on black, (image, 1, size, size) uint8, their centre of mass at x and y.

    In 64ths of the image, at scale 1: the square has the side 20.6; the ellipse the half axes 15.2 and 8.8; the heart
    is a square of side 16.5 on its corner, with half a disc on each of the upper edges. A pixel is white where its
    centre is inside, or, anti-aliased, has the level clip(1/2 - d, 0, 1) for the distance d in pixels to the edge.

    Args:
        shape: 0 square, 1 ellipse, 2 heart.
        scale: Above 0, at most 1.
        orientation: Counter-clockwise, in radians; the heart is upright at 0, the ellipse lies along the rows.
        x: Centre, from 0 (16.5 64ths from the left) to 1 (16.5 from the right).
        y: The same, from the top downward.
        size: Height and width, in pixels.
        anti_alias: Grey levels at the edges.

    Raises:
        InputError: A factor is out of its range.

    >>> (render_sprites(np.array([0]), np.array([1]), np.array([0]), np.array([0]), np.array([0])) > 0).sum()
    np.int64(441)
    """
    shape, scale, orientation, x, y = (np.atleast_1d(column) for column in (shape, scale, orientation, x, y))
    scale, x, y = (column.astype(np.float32) for column in (scale, x, y))
    inside = (scale > 0) & (scale <= 1) & (x >= 0) & (x <= 1) & (y >= 0) & (y <= 1) & np.isfinite(orientation)
    if not (inside & np.isin(shape, range(len(SHAPES)))).all():
        should = "have the shape 0, 1 or 2, a scale above 0 up to 1, and x and y from 0 to 1"
        raise InputError("render_sprites", should, "a row outside of that")
    images = np.zeros((len(shape), 1, size, size), np.uint8)
    step = max(1, (1 << 20) // size**2)
    for start in range(0, len(shape), step):
        block = np.arange(start, min(start + step, len(shape)))
        for kind in range(len(SHAPES)):
            rows = block[shape[block] == kind]
            _draw(images[:, 0], rows, kind, (scale[rows], orientation[rows], x[rows], y[rows]), anti_alias)
    return images


def _draw(images: np.ndarray, rows: np.ndarray, kind: int, factors: tuple[np.ndarray, ...], anti_alias: bool) -> None:
    """Draws sprites of one kind into these rows of images, in a window that just holds them."""
    size = images.shape[-1]
    scale, orientation, *position = factors
    window = min(size, 2 * int(np.ceil(REACH * size)) + 3)
    pixel = np.arange(window, dtype=np.float32) + np.float32(0.5)
    centre_x, centre_y = (size * ((1 - TRAVEL) / 2 + TRAVEL * p) for p in position)
    left, top = (np.clip(np.rint(c - window / 2).astype(int), 0, size - window) for c in (centre_x, centre_y))
    right, up = pixel - (centre_x - left)[:, None], (centre_y - top)[:, None] - pixel
    cos, sin = (turn(orientation)[:, None].astype(np.float32) for turn in (np.cos, np.sin))
    u = (right * cos)[:, None, :] + (up * sin)[:, :, None]
    v = (up * cos)[:, :, None] - (right * sin)[:, None, :]
    distance = DISTANCES[kind](u, v, (scale * size)[:, None, None])
    level = np.clip(0.5 - distance, 0, 1) * 255 + 0.5 if anti_alias else (distance < 0) * np.uint8(255)
    windows = np.lib.stride_tricks.sliding_window_view(images, (window, window), axis=(1, 2), writeable=True)  # type: ignore[call-overload]
    windows[rows, top, left] = level


def _to_square(u: np.ndarray, v: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Signed distance to the square's edge, negative inside (beyond a corner, along the nearer axis)."""
    return np.maximum(np.abs(u), np.abs(v)) - scale * np.float32(SQUARE_SIDE / 2)


def _to_ellipse(u: np.ndarray, v: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Signed distance to the ellipse, to first order at its edge: f/|grad f| with f = sqrt((u/a)^2 + (v/b)^2) - 1."""
    a, b = (scale * np.float32(axis) for axis in ELLIPSE_AXES)
    level = np.maximum(np.hypot(u / a, v / b), np.float32(1e-6))
    slope = np.hypot(u / a**2, v / b**2)
    return (level - 1) * level / np.maximum(slope, np.float32(1e-9))


def _to_heart(u: np.ndarray, v: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Signed distance to the heart's edge: the lesser of those to its square and to its discs."""
    side = scale * np.float32(HEART_SIDE)
    across, rise = np.abs(u), v + np.float32(HEART_RISE) * side
    lobe = side * np.float32(np.sqrt(0.125))
    square = (across + np.abs(rise)) * np.float32(np.sqrt(0.5))
    return np.minimum(square, np.hypot(across - lobe, rise - lobe)) - side / 2


DISTANCES = (_to_square, _to_ellipse, _to_heart)
