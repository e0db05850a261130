"""Features of images against scikit-image, loops over pixels, and shapes whose features are known."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from vaelab.data.sources.cells_synthetic import cell_table, render_cells
from vaelab.errors import InputError
from vaelab.explanation.measured_features import feature_names, measured_features, objects

with_skimage = pytest.mark.skipif(not find_spec("skimage"), reason="scikit-image is an extra")
CELLS = cell_table(60)
IMAGES = render_cells(CELLS, 48) / np.float32(255)


def ellipse(size, y, x, half_y, half_x, turn=0.0):
    """(size, size): 1 inside."""
    down, right = np.mgrid[:size, :size] + 0.5
    down, right = down - y, right - x
    along, across = np.cos(turn) * right + np.sin(turn) * down, np.cos(turn) * down - np.sin(turn) * right
    return ((along / half_x) ** 2 + (across / half_y) ** 2 <= 1).astype(float)


@with_skimage
def test_objects_and_their_shapes_are_those_of_scikit_image():
    from skimage.filters import threshold_otsu
    from skimage.measure import regionprops

    bright = IMAGES.mean(1, dtype=np.float64)
    found, table = objects(bright), measured_features(IMAGES, ("red", "green", "blue"))
    for i, image in enumerate(bright):
        mask = image > threshold_otsu(image)
        assert (found[i] != mask).mean() < 2e-3, "its thresholds are middles of bins"
        (region,) = regionprops(found[i].astype(int), image)
        row = table.loc[i]
        assert row["area"] == region.area / 48**2
        assert row["intensity"] == pytest.approx(region.intensity_mean, rel=1e-12)
        assert (row["y"] * 48 - 0.5, row["x"] * 48 - 0.5) == pytest.approx(region.centroid, rel=1e-12)
        assert row["eccentricity"] == pytest.approx(region.eccentricity, abs=2e-3), "whose pixels are points"
        assert row["solidity"] == pytest.approx(region.solidity, rel=1e-12)


@with_skimage
def test_granularity_is_what_its_opening_removes():
    from skimage.morphology import disk, opening

    images = np.random.default_rng(0).random((4, 1, 64, 64))
    table, masks = measured_features(images), objects(images[:, 0])
    for i, (image, mask) in enumerate(zip(images[:, 0], masks, strict=True)):
        rest = image - opening(image, disk(2))
        assert table["granularity"][i] == pytest.approx(rest[mask].sum() / image[mask].sum(), rel=1e-9)


def test_texture_is_gearys_c_of_loops_over_neighbours():
    image = gaussian_filter(np.random.default_rng(1).random((20, 20)), 1)
    mask = ellipse(20, 10, 10, 8, 5) > 0
    squares = [
        (image[i, j] - image[k, m]) ** 2
        for i in range(20)
        for j in range(20)
        for k, m in ((i + 1, j), (i, j + 1))
        if max(k, m) < 20 and mask[i, j] and mask[k, m]
    ]
    wanted = np.mean(squares) / (2 * image[mask].var())
    assert measured_features(image[None, None], masks=mask[None])["texture"][0] == pytest.approx(wanted, rel=1e-9)


def test_shapes_have_the_features_that_they_were_drawn_with():
    size, turn = 128, np.pi / 6
    drawn = np.stack([
        ellipse(size, 40, 80, 20, 20), ellipse(size, 64, 64, 12, 36), ellipse(size, 64, 64, 12, 36, turn),
    ])  # fmt: skip
    round_, flat, turned = measured_features(0.5 * drawn[:, None], ["x"]).itertuples(index=False)
    assert round_[0] == pytest.approx(0.5 * round_.area), "a channel called as a feature keeps its own column"
    assert round_.area == pytest.approx(np.pi * 20**2 / size**2, rel=0.01)
    assert (round_.y, round_.x, round_.intensity) == pytest.approx((40 / 128, 80 / 128, 0.5), abs=1e-6)
    assert (round_.eccentricity, round_.upright, round_.tilt) == pytest.approx((0, 0, 0), abs=0.02)
    anisotropy = (12**2 - 36**2) / (12**2 + 36**2)
    assert flat.eccentricity == pytest.approx(np.sqrt(1 - 12**2 / 36**2), rel=0.01)
    assert (flat.upright, flat.tilt) == pytest.approx((anisotropy, 0), abs=0.01)
    assert turned.upright == pytest.approx(anisotropy * np.cos(2 * turn), abs=0.01)
    assert turned.tilt == pytest.approx(-anisotropy * np.sin(2 * turn), abs=0.01)
    assert turned.eccentricity == pytest.approx(flat.eccentricity, rel=0.01)
    assert round_.texture == 0
    assert flat.granularity < 0.005, "its sharp ends"


def test_of_generated_cells_it_finds_size_place_and_colour():
    table = measured_features(IMAGES, ("red", "green", "blue"))
    for feature, truth in (("x", "center_x"), ("y", "center_y")):
        assert np.corrcoef(table[feature], CELLS[truth])[0, 1] > 0.9
    assert np.corrcoef(table["area"], CELLS["radius"] ** 2)[0, 1] > 0.9
    for channel in ("red", "green"):
        assert np.corrcoef(table[channel], CELLS[channel] * CELLS["radius"] ** 2)[0, 1] > 0.9


def test_noise_is_rougher_than_what_is_smooth_and_spots_are_grains():
    noise = np.random.default_rng(0).random((1, 1, 64, 64))
    full = np.ones((1, 64, 64), int)
    smooth = gaussian_filter(noise, (0, 0, 3, 3))
    rough, even = (measured_features(each, masks=full)["texture"][0] for each in (noise, smooth))
    assert rough == pytest.approx(1, abs=0.05)
    assert even < 0.1
    spots = np.full((1, 1, 64, 64), 0.5)
    spots[..., 8::16, 8::16] = 1.0
    assert measured_features(spots, masks=full)["granularity"][0] == pytest.approx(8 / (0.5 * 64**2 + 8))


def test_without_an_object_there_is_its_area_alone():
    row = measured_features(np.full((1, 2, 8, 8), 0.3), ("DNA", "actin")).loc[0]
    assert (row["DNA"], row["area"]) == (pytest.approx(0.3), 0)
    assert row[["intensity", "y", "eccentricity", "tilt", "texture", "granularity"]].isna().all()
    dot = np.zeros((1, 1, 8, 8))
    dot[..., 3, 4] = 1
    assert np.isfinite(measured_features(dot).to_numpy()).all(), "a single pixel is an object"


def test_what_cannot_be_measured_is_refused(monkeypatch):
    image = np.zeros((2, 1, 4, 4))
    with pytest.raises(InputError, match=r"images should be finite numbers \(image, channel, height, width\), got"):
        measured_features(image[0])
    with pytest.raises(InputError, match="images should be finite"):
        measured_features(image + np.nan)
    with pytest.raises(InputError, match=r"masks should be of shape \(2, 4, 4\), got \(1, 4, 4\)"):
        measured_features(image, masks=np.ones((1, 4, 4)))
    with pytest.raises(InputError, match="channels should be 1 names, got 2"):
        measured_features(image, ("a", "b"))
    with pytest.raises(InputError, match="did you mean area"):
        measured_features(image, names=["arae"])
    module = import_module("vaelab.explanation.measured_features")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert "solidity" not in feature_names()
    assert "solidity" not in measured_features(image)
    with pytest.raises(InputError, match=r"installed, got solidity. pip install 'vaelab\[features\]'"):
        measured_features(image, names=["solidity"])
    assert isinstance(measured_features(image, names=[]), pd.DataFrame)
