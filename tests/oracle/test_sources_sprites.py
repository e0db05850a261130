"""Sprites against areas, moments and the grid in closed form, and against supersampling."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from vaelab.data.sources.sprites import SHAPES, SpritesSource, render_sprites
from vaelab.errors import InputError

RNG = np.random.default_rng(0)
N = 240
SHAPE = np.arange(N) % 3
SCALE, ORIENTATION = RNG.uniform(0.5, 1, N), RNG.uniform(0, 2 * np.pi, N)
X, Y = RNG.random((2, N))
AREAS = np.array([20.6**2, np.pi * 15.2 * 8.8, 16.5**2 * (1 + np.pi / 4)])


def mass_and_centre(images):
    levels = images[:, 0] / 255
    axis = np.arange(images.shape[-1]) + 0.5
    mass = levels.sum((1, 2))
    return levels, axis, mass, levels.sum(1) @ axis / mass, levels.sum(2) @ axis / mass


@pytest.mark.parametrize(("size", "anti_alias", "tolerance"), [(64, True, 0.02), (64, False, 0.12), (200, False, 0.02)])
def test_area_and_centre_of_mass(size, anti_alias, tolerance):
    images = render_sprites(SHAPE, SCALE, ORIENTATION, X, Y, size=size, anti_alias=anti_alias)
    _, _, mass, centre_x, centre_y = mass_and_centre(images)
    np.testing.assert_allclose(mass, AREAS[SHAPE] * SCALE**2 * (size / 64) ** 2, rtol=tolerance)
    np.testing.assert_allclose(centre_x * 64 / size, 16.5 + 31 * X, atol=6 * tolerance)
    np.testing.assert_allclose(centre_y * 64 / size, 16.5 + 31 * Y, atol=6 * tolerance)


def test_the_orientation_is_that_of_the_second_moments():
    images = render_sprites(np.ones(N, int), SCALE, ORIENTATION, X, Y, anti_alias=True)
    levels, axis, mass, centre_x, centre_y = mass_and_centre(images)
    right, up = axis - centre_x[:, None], centre_y[:, None] - axis
    xx = np.einsum("nyx,nx->n", levels, right**2) / mass
    yy = np.einsum("nyx,ny->n", levels, up**2) / mass
    xy = np.einsum("nyx,ny,nx->n", levels, up, right) / mass
    measured = 0.5 * np.arctan2(2 * xy, xx - yy)
    error = (measured - ORIENTATION + np.pi / 2) % np.pi - np.pi / 2
    assert np.abs(error).max() < np.radians(2)
    long_axis = np.sqrt(2 * (xx + yy + np.hypot(xx - yy, 2 * xy)))
    np.testing.assert_allclose(long_axis, 15.2 * SCALE, rtol=0.03)


def test_the_square_is_where_its_corners_say():
    image = render_sprites(np.array([0]), np.array([1]), np.array([0]), np.array([1]), np.array([0]))[0, 0]
    expected = np.zeros((64, 64))
    expected[16 - 10 : 16 + 11, 47 - 10 : 47 + 11] = 255  # centres 16.5 and 47.5; half the side is 10.3
    np.testing.assert_array_equal(image, expected)


def test_the_heart_stands_upright_at_orientation_0():
    image = render_sprites(np.array([2]), np.array([1]), np.array([0]), np.array([0.5]), np.array([0.5]), size=129)[
        0, 0
    ]
    np.testing.assert_array_equal(image, image[:, ::-1])
    rows = np.nonzero(image.any(1))[0]
    assert (image[rows[-1]] > 0).sum() <= 2 < (image[rows[3]] > 0).sum()
    top = image[rows[0] + 3] > 0
    assert not top[64]
    assert top[:64].any()


def test_anti_aliased_levels_are_near_the_area_that_supersampling_counts():
    settings = (SHAPE[:60], SCALE[:60], ORIENTATION[:60], X[:60], Y[:60])
    grey = render_sprites(*settings, anti_alias=True)[:, 0] / 255
    counted = render_sprites(*settings, size=512)[:, 0].reshape(60, 64, 8, 64, 8).mean((2, 4)) / 255
    assert np.abs(grey - counted).max() < 0.3
    assert np.abs(grey - counted).mean() < 0.001


def test_the_whole_grid_is_complete_unique_and_in_order():
    sprites = SpritesSource(num_images=None, num_orientations=5, num_x=4, num_y=3, size=16).load()
    assert len(sprites) == 3 * 6 * 5 * 4 * 3
    classes = sprites.table[list(sprites.factors)].to_numpy()
    grid = np.stack(np.meshgrid(*map(np.arange, (3, 6, 5, 4, 3)), indexing="ij"), -1).reshape(-1, 5)
    np.testing.assert_array_equal(classes, grid)
    table = sprites.table
    np.testing.assert_allclose(table["scale"], 0.5 + 0.1 * table["scale_class"])
    np.testing.assert_allclose(table["orientation"], np.pi / 2 * table["orientation_class"], atol=1e-12)
    np.testing.assert_allclose(table["x"], table["x_class"] / 3)
    np.testing.assert_allclose(table["y"], table["y_class"] / 2)
    assert [SHAPES[i] for i in table["shape_class"]] == table["shape"].tolist()


def test_a_draw_has_no_combination_twice():
    table = SpritesSource(num_images=5000, size=8).load().table
    classes = table[[name for name in table if name.endswith("_class")]]
    assert not classes.duplicated().any()
    assert (classes.nunique() == (3, 6, 40, 32, 32)).all()
    everything = SpritesSource(
        num_images=24, shapes=("heart", "square"), num_scales=1, num_orientations=3, num_x=2, num_y=2
    )
    table = everything.load().table
    assert not table[["shape", "orientation", "x", "y"]].duplicated().any()
    assert set(table["scale"]) == {1}
    assert set(table["shape_class"]) == {0, 2}


@pytest.mark.parametrize("anti_alias", [False, True])
@pytest.mark.parametrize(("name", "count"), [("num_scales", 6), ("num_orientations", 40), ("num_x", 32), ("num_y", 32)])
def test_each_step_of_each_factor_changes_the_picture(name, count, anti_alias):
    ones = dict.fromkeys(("num_scales", "num_orientations", "num_x", "num_y"), 1)
    sprites = SpritesSource(num_images=None, anti_alias=anti_alias, **{**ones, name: count}).load()
    for images in np.split(sprites.images[:, 0], 3):
        neighbours = [np.array_equal(a, b) for a, b in pairwise(images)]
        assert sum(neighbours) == 0
        if name == "num_orientations":
            np.testing.assert_array_equal(images[0], images[-1])
            images = images[:-1]
        distinct = len(np.unique(images.reshape(len(images), -1), axis=0))
        assert distinct == len(images) or (distinct > 30 and name == "num_orientations" and not anti_alias)


def test_the_held_out_combination_is_the_test_split_exactly():
    table = SpritesSource(num_images=3000, size=8, held_out="shape=heart, x>=16").load().table
    expected = (table["shape"] == "heart") & (table["x_class"] >= 16)
    np.testing.assert_array_equal(table["split"] == "test", expected)
    assert 0.1 < expected.mean() < 0.24
    table = SpritesSource(num_images=3000, size=8, held_out="scale!=2,orientation<20,y<=3,x>1").load().table
    expected = (table.scale_class != 2) & (table.orientation_class < 20) & (table.y_class <= 3) & (table.x_class > 1)
    np.testing.assert_array_equal(table["split"] == "test", expected)
    assert "split" not in SpritesSource(num_images=3, size=8).load().table
    for nothing in ("x>=32", "x>=0"):
        with pytest.raises(InputError, match=r"held_out should hold for some of the images, got .*of 9 images"):
            SpritesSource(num_images=9, size=8, held_out=nothing).load()


@pytest.mark.parametrize("bad", [(3, 1, 0, 0, 0), (0, 0, 0, 0, 0), (0, 1, np.nan, 0, 0), (0, 1, 0, 1.1, 0)])
def test_factors_out_of_range_are_refused(bad):
    with pytest.raises(InputError, match="render_sprites should"):
        render_sprites(*[np.array([value]) for value in bad])
