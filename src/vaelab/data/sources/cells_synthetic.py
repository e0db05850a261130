"""Synthetic cells: seven processes on a known plane of colour and shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from annotated_types import Ge, Le

from vaelab.data.collection import ImageCollection
from vaelab.data.sources._base import Source
from vaelab.data.sources._generated import render_in_blocks
from vaelab.errors import InputError
from vaelab.settings.ranges import AtLeast0, AtLeast1

COUNTS = (1018, 1204, 796, 987, 734, 432, 2216)
"""Cells of each process."""
BENDS = (1.8, 1.4, 0.2, -0.2, -1.4, -1.8)
WELLS = (3, 4, 3, 3, 2, 2, 7)
"""Wells of each process: about 300 cells to a well."""
SITES = 9
NUISANCES = {
    "center_x": (-0.05, 0.05),
    "center_y": (-0.05, 0.05),
    "radius": (0.21, 0.28),
    "rotation": (0.0, 2 * np.pi),
    "elongation": (1.0, 1.35),
    "nucleus_radius": (0.36, 0.46),
    "nucleus_offset": (0.0, 0.15),
    "nucleus_angle": (0.0, 2 * np.pi),
}
"""What differs between cells beside x and y: each uniform from, to."""
CYTOPLASM_LEVEL = 0.5
OUTLINE_GAIN = 0.45
OUTLINE_ORDERS = np.arange(3, 10)
"""Ripples around the outline; a second order would be an elongation."""
NUCLEUS_ORDERS = np.arange(2, 5)
NUCLEUS_IRREGULARITY = 0.12
NUCLEUS_COLOUR = (0.06, 0.12, 0.95)
EDGE = 1 / 32
"""Width of the soft edge, in sides of the image."""
NUM_MODES = 14
TEXTURE_BANDS = ((7.0, 4.0), (8.0, 2.0), (9.0, 3.0), (4.0, 2.0), (7.0, 3.0))
"""Centre and width, in periods per image, of the textures: shared, filaments, granules, haze, chromatin."""


@dataclass(frozen=True, kw_only=True)
class CellsSyntheticSource(Source):
    """Cells whose look is set by a point (x, y) of the unit square, as in the image set BBBC031.

        red = y    green = 1 - x    blue = 1 - |1 - (x + y)|    irregularity = (2 - x - y)/4

    A cell is a blue nucleus on black in a textured cytoplasm of colour (red, green, blue); its outline grows more
    irregular from (1, 1) to (0, 0). Processes 1 to 6 are curves in the square, with u = (x + y)/2 uniform:

        y - x = bend * min(u, 1 - u),    bend = 1.8, 1.4, 0.2, -0.2, -1.4, -1.8

    and process 7 fills the square uniformly. Of 7,387 cells they have 1018, 1204, 796, 987, 734, 432 and 2216; of any
    other number, the same shares up to about one cell. Row i is the same for every ``num_images``.

    The table holds ``x``, ``y`` (the factors), what follows from them, ``process``, ``well`` and ``site`` (24 wells of
    9 sites; a well holds one process, a process 2 to 7 wells, so a split by well or site can have every process in each
    part), and all that else tells one cell from another: `render_cells` gives the same image from a row alone.

    *Source*: plane, curves and counts as in BBBC031v1 (Broad Bioimage Benchmark Collection; Ljosa et al., Nature
    Methods 9, 637, 2012). The images are vaelab's own; how cells look, and which share a well, is not BBBC031's.

    >>> cells = CellsSyntheticSource(num_images=10, size=32).load()
    >>> cells.images.shape, cells.channels, cells.factors
    ((10, 3, 32, 32), ('red', 'green', 'blue'), ('x', 'y'))
    """

    num_images: AtLeast1 = 7387
    """How many cells."""
    size: Annotated[int, Ge(8), Le(1024)] = 64
    """Height and width of an image, in pixels; the same cells at any size."""
    seed: AtLeast0 = 0
    """Seed of the cells."""

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source."""
        table = cell_table(self.num_images, self.seed)
        images = render_in_blocks(
            self,
            lambda rows: render_cells(table.iloc[rows], self.size),
            (self.num_images, 3, self.size, self.size),
            progress=progress,
        )
        return ImageCollection(images=images, table=table, channels=("red", "green", "blue"), factors=("x", "y"))


def cell_look(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """The columns red, green, blue in [0, 1] and irregularity in [0, 0.5] at points of the unit square.

    >>> {name: value.tolist() for name, value in cell_look(np.array([0.5]), np.array([1.0])).items()}
    {'red': [1.0], 'green': [0.5], 'blue': [0.5], 'irregularity': [0.125]}
    """
    return {"red": y, "green": 1 - x, "blue": 1 - np.abs(1 - (x + y)), "irregularity": (2 - x - y) / 4}


def cell_table(num_images: int, seed: AtLeast0 = 0) -> pd.DataFrame:
    """One row per cell: its point, what follows from it, process, well and site, and the nuisances.

    >>> cell_table(7387)["process"].value_counts(sort=False).sort_index().tolist()
    [1018, 1204, 796, 987, 734, 432, 2216]
    """
    process, ordinal = _processes(num_images)
    unit = np.random.default_rng(seed).random((num_images, 3 + len(NUISANCES)))
    bend = np.array([*BENDS, 0.0])[process]
    u, uniform = unit[:, 0], process == len(BENDS)
    difference = bend * np.minimum(u, 1 - u)
    x = np.where(uniform, unit[:, 0], u - difference / 2)
    y = np.where(uniform, unit[:, 1], u + difference / 2)
    wells = np.array(WELLS)[process]
    well = (np.cumsum(WELLS) - WELLS)[process] + ordinal % wells
    table = pd.DataFrame({"x": x, "y": y, **cell_look(x, y), "process": process + 1})
    table["well"] = well + 1
    table["site"] = well * SITES + ordinal // wells % SITES + 1
    for column, (name, (low, high)) in enumerate(NUISANCES.items(), start=2):
        table[name] = low + (high - low) * unit[:, column]
    return table.assign(grain=(unit[:, -1] * 2**53).astype(np.int64))


def _processes(num_images: int) -> tuple[np.ndarray, np.ndarray]:
    """Process (from 0) of each cell, and how many of the same process stand before it.

    In each run of 7,387 the j-th cell of a process of n stands at (j + 1/2)/n of the way, so every beginning of the
    sequence has nearly the shares of the whole.
    """
    process = np.repeat(np.arange(len(COUNTS)), COUNTS)
    order = np.argsort(np.concatenate([(np.arange(n) + 0.5) / n for n in COUNTS]), kind="stable")
    process = np.resize(process[order], num_images)
    ordinal = pd.Series(process).groupby(process).cumcount().to_numpy()
    return process, ordinal


def render_cells(table: pd.DataFrame, size: int = 64) -> np.ndarray:
    """Cells, (image, 3, size, size) uint8, each from its row of the table and nothing else.

    With theta the angle around the cell's centre and p the row's own smooth noise of unit variance, the outline is

        rho(theta) = radius * c * exp(0.45 * irregularity * p(theta)),    c so that the area is pi * radius^2

    then stretched by sqrt(elongation) along rotation and squeezed by as much across, which keeps the area. The
    cytoplasm's mean level is half its colour; a band-limited texture (at most 14 periods across the image) and a
    fall-off to the edge vary it.

    Args:
        table: Columns ``red``, ``green``, ``blue`` in [0, 1], ``irregularity`` from 0 to 0.5 and the nuisances:
            ``center_x``, ``center_y`` (from the image's centre, right and down), ``radius``, all in sides of the
            image; ``rotation`` in radians; ``elongation`` (long axis over short); ``nucleus_radius`` and
            ``nucleus_offset`` in radii of the cell; ``nucleus_angle`` in radians; ``grain``, the seed of outline and
            texture. Change one and keep the others to see its effect alone.
        size: Height and width, in pixels.

    Raises:
        InputError: A column is missing or holds what cannot be drawn.

    >>> one = cell_table(1)
    >>> render_cells(one.assign(red=0.0))[0, 0].max() <= render_cells(one.assign(red=1.0))[0, 0].max()
    np.True_
    """
    needed = ["red", "green", "blue", "irregularity", *NUISANCES, "grain"]
    missing = [name for name in needed if name not in table]
    if missing:
        raise InputError("render_cells.table", f"have the columns {', '.join(needed)}", f"none named {missing[0]}")
    values = table[needed].to_numpy(float)
    positive = table[["radius", "elongation", "nucleus_radius"]].to_numpy(float) > 0
    if not (np.isfinite(values).all() and positive.all() and (table["grain"].to_numpy() >= 0).all()):
        should = "hold finite numbers, above 0 for radius, elongation and nucleus_radius, not below 0 for grain"
        raise InputError("render_cells.table", should, "a row outside of that")
    images = np.empty((len(table), 3, size, size), np.uint8)
    step = max(1, (1 << 18) // size**2)
    for start in range(0, len(table), step):
        rows = table.iloc[start : start + step]
        images[start : start + step] = _render(rows, size)
    return images


def _render(table: pd.DataFrame, size: int) -> np.ndarray:
    """See render_cells; for a few rows."""
    column = {name: table[name].to_numpy(np.float32)[:, None, None] for name in table if name != "grain"}
    outline, nucleus_outline, textures = _random_parts(table["grain"].to_numpy(), size)
    cell = _shape(column, column["irregularity"][:, 0] * outline, size)
    shift = column["nucleus_offset"] * column["radius"]
    nucleus_column = {
        "center_x": column["center_x"] + shift * np.cos(column["nucleus_angle"]),
        "center_y": column["center_y"] + shift * np.sin(column["nucleus_angle"]),
        "radius": column["nucleus_radius"] * column["radius"],
        "rotation": column["rotation"],
        "elongation": column["elongation"],
    }
    nucleus = _shape(nucleus_column, NUCLEUS_IRREGULARITY * nucleus_outline, size)

    shared, filaments, granules, haze, chromatin = textures
    own = 0.8 + np.exp(-6 * filaments**2), np.exp(0.2 * granules), np.exp(0.12 * haze)
    body, core = _coverage(cell, column["radius"]), _coverage(nucleus, nucleus_column["radius"])
    thickness = (0.45 + 0.55 * np.sqrt(np.maximum(1 - cell**2, 0))) * np.exp(0.3 * shared)
    alone = body * (1 - core)
    dna = core * (0.5 + 0.3 * np.sqrt(np.maximum(1 - nucleus**2, 0))) * np.exp(0.18 * chromatin)
    images = np.empty((len(table), 3, size, size), np.uint8)
    for channel, (name, texture) in enumerate(zip(("red", "green", "blue"), own, strict=True)):
        level = thickness * texture
        mean = (level * alone).sum((1, 2), keepdims=True) / np.maximum(alone.sum((1, 2), keepdims=True), 1e-6)
        level *= column[name] * CYTOPLASM_LEVEL / mean
        above = alone + 0.3 * core * body
        image = level * above + dna * NUCLEUS_COLOUR[channel]
        images[:, channel] = np.clip(image * 255 + 0.5, 0, 255)
    return images


def _random_parts(grain: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise of the outlines (image, angle), of unit variance; and textures (texture, image, y, x)."""
    num_modes = 2 * NUM_MODES + 1
    sizes = [2 * len(OUTLINE_ORDERS), 2 * len(NUCLEUS_ORDERS), len(TEXTURE_BANDS) * num_modes**2]
    draws = np.stack([np.random.default_rng(g).standard_normal(sum(sizes), dtype=np.float32) for g in grain])
    outline, nucleus, modes = np.split(draws, np.cumsum(sizes)[:-1], axis=1)
    frequency = np.abs(np.arange(num_modes) - NUM_MODES).astype(np.float32)
    radial = np.hypot(frequency[:, None], frequency)
    bands = np.stack([np.exp(-0.5 * ((radial - f) / w) ** 2) for f, w in TEXTURE_BANDS])
    bands /= np.sqrt((bands**2).sum((1, 2), keepdims=True))
    modes = modes.reshape(len(grain), len(TEXTURE_BANDS), num_modes, num_modes) * bands
    place = 2 * np.pi * (np.arange(size) + 0.5)[:, None] / size
    wave = np.arange(-NUM_MODES, NUM_MODES + 1) * place
    basis = np.where(wave < 0, np.sin(-wave), np.cos(wave)).astype(np.float32)
    basis[:, np.arange(num_modes) != NUM_MODES] *= np.float32(np.sqrt(2))
    textures = np.moveaxis(basis @ modes @ basis.T, 1, 0)
    return _ripple(outline, OUTLINE_ORDERS, size), _ripple(nucleus, NUCLEUS_ORDERS, size), textures


def _ripple(draws: np.ndarray, orders: np.ndarray, size: int) -> np.ndarray:
    """Random Fourier series of these orders around the circle, of unit variance, (image, angle)."""
    draws = draws / np.tile(np.sqrt(orders), 2).astype(np.float32)
    draws /= np.sqrt((draws**2).sum(1, keepdims=True) / 2)
    angle = orders[:, None] * np.linspace(0, 2 * np.pi, 8 * size, endpoint=False)
    waves = np.concatenate([np.cos(angle), np.sin(angle)]).astype(np.float32)
    return (draws[:, None, :] @ waves)[:, 0]


def _shape(column: dict[str, np.ndarray], ripple: np.ndarray, size: int) -> np.ndarray:
    """Distance of each pixel from the shape's centre as a share of the outline's there, (image, y, x)."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    right, down = axis - column["center_x"], axis[:, None] - column["center_y"]
    cos, sin, stretch = np.cos(column["rotation"]), np.sin(column["rotation"]), np.sqrt(column["elongation"])
    along, across = (cos * right + sin * down) / stretch, (cos * down - sin * right) * stretch
    outline = column["radius"][:, 0] * np.exp(OUTLINE_GAIN * ripple)
    outline /= np.sqrt(np.exp(2 * OUTLINE_GAIN * ripple).mean(1, keepdims=True))
    turn = np.arctan2(across, along) * np.float32(ripple.shape[1] / (2 * np.pi))
    step = np.rint(turn).astype(np.int32) % ripple.shape[1]
    here = np.take_along_axis(outline, step.reshape(len(step), -1), axis=1).reshape(step.shape)
    return np.hypot(along, across) / here


def _coverage(distance: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """1 inside, 0 outside, a smooth step of the width EDGE between, from distances as a share of the outline's."""
    inside = np.clip(0.5 + (1 - distance) * (radius / np.float32(EDGE)), 0, 1)
    return inside * inside * (3 - 2 * inside)
