"""Pictures hold the data's own pixels, in stated colours, on a stated scale."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vaelab.errors import InputError
from vaelab.plots import (
    Tile,
    atlas,
    channel_colours,
    composite,
    image_grid,
    picture_png,
    reconstruction_pairs,
    sheet,
    shrink,
    traversal_grid,
)


def random_tiles(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_one_channel_is_grey_and_linear():
    images = np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 1, 16, 16)
    picture = composite(images, channel_colours(("0",)))
    expected = np.arange(256).reshape(1, 16, 16, 1).repeat(3, axis=3)
    np.testing.assert_array_equal(picture, expected)


def test_values_outside_the_scale_are_clipped_and_nan_is_black():
    images = np.array([-1.0, 2.0, np.nan, 0.25], np.float32).reshape(1, 1, 2, 2)
    assert composite(images, channel_colours(("0",)), white=0.5)[0, :, :, 0].tolist() == [[0, 255], [0, 128]]


@given(num_channels=st.integers(2, 30), seed=st.integers(0, 2**32 - 1))
def test_the_brightest_channel_wins_at_every_pixel(num_channels, seed):
    rng = np.random.default_rng(seed)
    images, colours = rng.random((2, num_channels, 3, 3)), channel_colours(tuple(map(str, range(num_channels))))
    picture = composite(images, colours)
    for i, y, x, part in [(0, 0, 0, 0), (1, 2, 1, 2), (0, 1, 2, 1)]:
        brightest = max(images[i, c, y, x] * colours[c, part] for c in range(num_channels))
        assert abs(int(picture[i, y, x, part]) - 255 * brightest) <= 0.5 + 1e-3


def test_red_green_and_blue_look_as_they_are_called():
    images = np.random.default_rng(0).random((2, 3, 4, 4))
    plain = np.rint(images.transpose(0, 2, 3, 1).astype(np.float32) * 255)
    np.testing.assert_array_equal(composite(images, channel_colours(("Red", "green", "BLUE"))), plain)
    np.testing.assert_array_equal(composite(images, channel_colours(("0", "1", "2"))), plain)


@pytest.mark.parametrize("num_channels", range(1, 31))
def test_channels_have_colours_of_their_own(num_channels):
    colours = channel_colours(tuple(map(str, range(num_channels))))
    assert colours.shape == (num_channels, 3)
    assert len({tuple(colour) for colour in colours.tolist()}) == num_channels
    assert (colours.max(axis=1) == 1).all()


def test_nuclei_are_blue_and_stains_known():
    dna, actin, tubulin = channel_colours(("DNA", "Actin", "tubulin"))
    assert dna.argmax() == 2
    assert actin.argmax() == 0
    assert tubulin.argmax() == 1


def test_the_wrong_number_of_channels_is_refused():
    with pytest.raises(InputError, match=r"images should be \(image, 3, height, width\), got \(2, 1, 8, 8\)"):
        composite(np.zeros((2, 1, 8, 8)), channel_colours(("a", "b", "c")))


@given(count=st.integers(1, 13), columns=st.integers(1, 6), gap=st.integers(0, 3))
def test_a_grid_holds_every_tile_pixel_for_pixel(count, columns, gap):
    tiles = random_tiles(count, 5, 4, 3)
    sheet = image_grid(tiles, columns, gap=gap)
    columns = min(columns, count)
    for i, tile in enumerate(tiles):
        y, x = (i // columns) * (5 + gap), (i % columns) * (4 + gap)
        np.testing.assert_array_equal(sheet[y : y + 5, x : x + 4, :3], tile)
    assert int((sheet[..., 3] == 255).sum()) == count * 5 * 4
    assert set(np.unique(sheet[..., 3])) <= {0, 255}


def test_pairs_have_the_original_above():
    above, below = random_tiles(2, 6, 4, 4, 3)
    pairs = reconstruction_pairs(above, below)
    assert pairs.shape == (6, 9, 4, 4)
    np.testing.assert_array_equal(pairs[:, :4, :, :3], above)
    np.testing.assert_array_equal(pairs[:, 5:, :, :3], below)


def test_a_traversal_has_a_row_per_latent():
    tiles = random_tiles(3, 5, 4, 4, 3)
    sheet = traversal_grid(tiles, gap=0)
    assert sheet.shape == (12, 20, 4)
    np.testing.assert_array_equal(sheet[8:12, 4:8, :3], tiles[2, 1])


@given(height=st.integers(8, 40), width=st.integers(8, 40), most=st.integers(4, 40))
def test_shrinking_averages_whole_blocks(height, width, most):
    images = np.random.default_rng(0).random((2, 2, height, width))
    small, block = shrink(images, most)
    assert max(small.shape[2:]) <= most
    assert block == -(-max(height, width) // most)
    for i, j in np.ndindex(*small.shape[2:]):
        part = images[1, 0, i * block : (i + 1) * block, j * block : (j + 1) * block]
        assert small[1, 0, i, j] == pytest.approx(part.mean())
    assert small.shape[2:] == (-(-height // block), -(-width // block))
    if block == 1:
        assert small is images


@given(seed=st.integers(0, 2**32 - 1), cells=st.integers(1, 6))
def test_each_cell_of_an_atlas_shows_the_image_nearest_its_middle(seed, cells):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(20, 2))
    tiles = np.arange(1, 21, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
    sheet = atlas(points, tiles, cells=cells)
    low, high = points.min(axis=0), points.max(axis=0)
    side = 1.04 * (high - low).max()
    corner = (low + high) / 2 - side / 2
    for row in range(cells):
        for column in range(cells):
            middle = corner + (np.array([column, row]) + 0.5) * side / cells
            inside = (np.abs(points - middle) <= side / cells / 2).all(axis=1)
            shown = sheet[cells - 1 - row, column]
            if not inside.any():
                assert shown[3] == 0
            else:
                distance = np.where(inside, ((points - middle) ** 2).sum(axis=1), np.inf)
                assert shown[0] == distance.argmin() + 1


@pytest.mark.parametrize(("planes", "mode"), [(3, "RGB"), (4, "RGBA")])
def test_a_png_gives_back_every_pixel(planes, mode):
    picture = random_tiles(7, 5, planes)
    read = Image.open(io.BytesIO(picture_png(picture)))
    assert read.mode == mode
    np.testing.assert_array_equal(np.asarray(read), picture)


def test_a_grey_png_is_stored_grey():
    picture = random_tiles(7, 5, 1).repeat(3, axis=2)
    read = Image.open(io.BytesIO(picture_png(picture)))
    assert read.mode == "L"
    np.testing.assert_array_equal(np.asarray(read), picture[..., 0])
    clear = np.concatenate([picture, np.zeros((7, 5, 1), np.uint8)], axis=2)
    assert Image.open(io.BytesIO(picture_png(clear))).mode == "LA"


def test_a_sheet_holds_every_tile_pixel_for_pixel_with_words_beside_it():
    tiles = random_tiles(2, 3, 20, 30, 3)
    rows = [("first", [Tile(tile, "a\nb") for tile in tiles[0]]), ("", [Tile(tile) for tile in tiles[1]])]
    found = sheet(rows, title="A title", note="and what it says")
    windows = np.lib.stride_tricks.sliding_window_view(found, (20, 30, 3))[:, :, 0]
    places = [np.argwhere((windows == tile).all(axis=(2, 3, 4))) for tile in tiles.reshape(6, 20, 30, 3)]
    assert all(len(place) == 1 for place in places)
    y, x = np.concatenate(places).reshape(2, 3, 2).transpose(2, 0, 1)
    assert (np.diff(y, axis=1) == 0).all()
    assert (y[1] > y[0] + 20).all()
    assert (np.diff(x, axis=1) >= 30).all()
    assert (x[0] == x[1]).all()
    assert (found[: y[0, 0]] < 128).any()  # the title
    assert (found[y[0, 0] : y[0, 0] + 20, : x[0, 0]] < 128).any()  # the row's name
    assert (found[y[1, 0] : y[1, 0] + 20, : x[1, 0]] == 255).all()
    assert (found[0] == 255).all()


def test_what_is_clear_in_a_tile_is_white_on_a_sheet():
    clear = np.zeros((9, 9, 4), np.uint8)
    clear[3, 3] = (255, 0, 0, 255)
    found = sheet([("", [Tile(clear)])])
    assert sorted({tuple(pixel) for pixel in found.reshape(-1, 3).tolist()}) == [(255, 0, 0), (255, 255, 255)]
