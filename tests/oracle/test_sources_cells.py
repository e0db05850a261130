"""Cells: the plane's equations, and what is measured on the pictures against the table."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, map_coordinates
from scipy.stats import kstest, linregress, spearmanr

from vaelab.data.sources.cells_synthetic import CellsSyntheticSource, cell_look, cell_table, render_cells
from vaelab.errors import InputError

COUNTS = [1018, 1204, 796, 987, 734, 432, 2216]
SIZE = 96


@pytest.fixture(scope="module")
def cells():
    """Cells and where each pixel lies relative to its cell's centre, undoing rotation and elongation."""
    collection = CellsSyntheticSource(num_images=250, size=SIZE).load()
    return collection.images / 255, collection.table


def in_frame(table, angle, radius):
    """Rows and columns of points given in the cell's own round frame."""
    part = {name: table[name].to_numpy()[:, None] for name in ("center_x", "center_y", "rotation", "elongation")}
    along = radius * np.cos(angle) * np.sqrt(part["elongation"])
    across = radius * np.sin(angle) / np.sqrt(part["elongation"])
    right = part["center_x"] + along * np.cos(part["rotation"]) - across * np.sin(part["rotation"])
    down = part["center_y"] + along * np.sin(part["rotation"]) + across * np.cos(part["rotation"])
    return (down + 0.5) * SIZE - 0.5, (right + 0.5) * SIZE - 0.5


def measured_outline(images, table):
    """Radius at 180 angles at which the brightest channel falls under an eighth of the cell's usual brightness."""
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    steps = np.linspace(0.01, 0.6, 300)
    outline = np.empty((len(table), len(angle)))
    for i, image in enumerate(images.max(1)):
        row = table.iloc[[i]]
        y, x = in_frame(row, np.repeat(angle, len(steps)), np.tile(steps, len(angle)))
        ray = map_coordinates(image, [y[0], x[0]], order=1).reshape(len(angle), len(steps))
        bright = ray > np.median(image[image > 0.1]) / 8
        outline[i] = steps[len(steps) - 1 - bright[:, ::-1].argmax(1)]
    return outline


def test_counts_wells_and_sites():
    table = cell_table(7387)
    assert table["process"].value_counts().sort_index().tolist() == COUNTS
    assert table["well"].nunique() == 24
    assert table["site"].nunique() == 216
    assert (table.groupby("well")["process"].nunique() == 1).all()
    assert (table.groupby("site")["well"].nunique() == 1).all()
    assert (table.groupby("process")["well"].nunique() >= 2).all()
    assert table.groupby("site").size().min() > 10


@pytest.mark.parametrize("num_images", [1, 10, 333, 1000, 5000, 20_000])
def test_any_number_has_the_shares_of_the_whole(num_images):
    counts = np.bincount(cell_table(num_images)["process"], minlength=8)[1:]
    assert np.abs(counts - num_images * np.array(COUNTS) / 7387).max() <= 1


def test_points_obey_the_equations_of_their_process():
    table = cell_table(7387)
    assert table["x"].between(0, 1).all()
    assert table["y"].between(0, 1).all()
    u = (table["x"] + table["y"]) / 2
    for process, bend in enumerate([1.8, 1.4, 0.2, -0.2, -1.4, -1.8], start=1):
        here = table["process"] == process
        np.testing.assert_allclose((table["y"] - table["x"])[here], bend * np.minimum(u, 1 - u)[here], atol=1e-12)
        assert kstest(u[here], "uniform").pvalue > 1e-3
    square = table[table["process"] == 7]
    assert kstest(square["x"], "uniform").pvalue > 1e-3
    assert kstest(square["y"], "uniform").pvalue > 1e-3
    assert abs(spearmanr(square["x"], square["y"]).statistic) < 0.07
    corners = cell_look(np.array([0.0, 0, 1, 1]), np.array([0.0, 1, 0, 1]))
    assert np.stack(list(corners.values()), 1).tolist() == [
        [0, 1, 0, 0.5],
        [1, 1, 1, 0.25],
        [0, 0, 1, 0.25],
        [1, 0, 0, 0],
    ]


def test_the_cytoplasm_has_the_colour_of_the_table(cells):
    images, table = cells
    axis = (np.arange(SIZE) + 0.5) / SIZE - 0.5
    for channel, name in enumerate(("red", "green", "blue")):
        measured = []
        for image, row in zip(images, table.itertuples(), strict=True):
            body = binary_erosion(image.max(0) > 0.06)
            shift = row.nucleus_offset * row.radius
            nucleus_x = row.center_x + shift * np.cos(row.nucleus_angle)
            nucleus_y = row.center_y + shift * np.sin(row.nucleus_angle)
            far = np.hypot(axis - nucleus_x, axis[:, None] - nucleus_y) > 1.5 * row.nucleus_radius * row.radius
            measured.append(image[channel][body & far].mean())
        fit = linregress(table[name], measured)
        assert fit.rvalue > 0.97
        assert fit.slope == pytest.approx(0.5, rel=0.12)
        assert abs(fit.intercept) < 0.02


def test_the_outline_is_as_irregular_and_as_large_as_the_table_says(cells):
    images, table = cells
    outline = measured_outline(images, table)
    fit = linregress(table["irregularity"], np.log(outline).std(1))
    assert fit.rvalue > 0.95
    assert fit.slope == pytest.approx(0.45, rel=0.12)
    area = np.pi * (outline**2).mean(1)
    assert linregress(np.pi * table["radius"] ** 2, area).rvalue > 0.95
    x, y = outline * np.cos(np.linspace(0, 2 * np.pi, 180)), outline * np.sin(np.linspace(0, 2 * np.pi, 180))
    perimeter = np.hypot(np.diff(x), np.diff(y)).sum(1)
    assert spearmanr(table["irregularity"], perimeter**2 / area).statistic > 0.9


def test_the_nucleus_is_the_bluest_part_where_the_cytoplasm_has_no_blue():
    table = cell_table(64).assign(red=0.5, green=0.5, blue=0.0)
    blue = render_cells(table, SIZE)[:, 2] / 255
    axis = (np.arange(SIZE) + 0.5) / SIZE - 0.5
    shift = table["nucleus_offset"] * table["radius"]
    mass = blue.sum((1, 2))
    np.testing.assert_allclose(
        blue.sum(1) @ axis / mass, table["center_x"] + shift * np.cos(table["nucleus_angle"]), atol=0.01
    )
    np.testing.assert_allclose(
        blue.sum(2) @ axis / mass, table["center_y"] + shift * np.sin(table["nucleus_angle"]), atol=0.01
    )
    area = (blue > 0.3).mean((1, 2))
    assert linregress(np.pi * (table["nucleus_radius"] * table["radius"]) ** 2, area).rvalue > 0.98


def test_each_row_renders_alone_to_the_same_image():
    table = cell_table(150)
    together = render_cells(table, 40)
    alone = np.concatenate([render_cells(table.iloc[[i]], 40) for i in (0, 31, 149)])
    np.testing.assert_array_equal(together[[0, 31, 149]], alone)


def test_one_column_changed_changes_one_thing():
    table = cell_table(8)
    before, after = render_cells(table), render_cells(table.assign(red=table["red"] * 0.5))
    np.testing.assert_array_equal(before[:, 1:], after[:, 1:])
    assert (after[:, 0].mean((1, 2)) < before[:, 0].mean((1, 2))).all()
    moved = render_cells(table.assign(center_x=table["center_x"] + 4 / 64, grain=table["grain"]))
    lit = before.max(1) > 30
    shifted = np.roll(lit, 4, axis=2)
    assert ((moved.max(1) > 30) == shifted).mean() > 0.97


def test_the_same_cell_at_twice_the_size():
    table = cell_table(20)
    small, large = render_cells(table, 64), render_cells(table, 128)
    halved = large.reshape(20, 3, 64, 2, 64, 2).mean((3, 5))
    assert np.abs(halved - small).mean() < 1.5


def test_cells_lie_within_the_picture_and_seldom_saturate():
    images = CellsSyntheticSource(num_images=300).load().images
    rim = np.concatenate([images[..., 0], images[..., -1], images[..., 0, :], images[..., -1, :]], axis=-1)
    assert (rim.max((1, 2)) > 25).mean() < 0.02
    assert (images == 255).mean() < 0.004


def test_a_missing_column_and_what_cannot_be_drawn_are_refused():
    with pytest.raises(InputError, match=r"render_cells.table should have the columns .* got none named grain"):
        render_cells(cell_table(2).drop(columns="grain"))
    for column, value in {"radius": 0.0, "x": 0.5, "red": np.nan, "grain": -1}.items():
        table = cell_table(2).assign(**{column: value})
        if column == "x":  # not read: colours and irregularity are
            np.testing.assert_array_equal(render_cells(table, 16), render_cells(cell_table(2), 16))
            continue
        with pytest.raises(InputError, match=r"render_cells.table should hold finite numbers, above 0 for radius"):
            render_cells(table)
