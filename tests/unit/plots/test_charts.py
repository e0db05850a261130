"""Figures show exactly the numbers given, in one style, without pyplot."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from vaelab.plots import Classes, class_panel, curve, fit_histogram, latent_scatter, png, rate_bars, svg
from vaelab.plots.style import FIRST, SECOND


def lines(train: list[float], validation: list[float]) -> dict[str, np.ndarray]:
    """Every 10 steps on training images, every 20 on validation images."""
    every = {"train": (10, train), "validation": (20, validation)}
    return {
        split: np.array([[gap * (i + 1), v] for i, v in enumerate(own)]).reshape(-1, 2).T
        for split, (gap, own) in every.items()
    }


def texts(sheet) -> str:
    return " ".join(text.get_text() for text in sheet.axes[0].texts)


def test_a_curve_shows_each_split_as_it_is():
    sheet = curve(lines([-5.0, -4.0, -3.5, -3.2], [-4.5, -3.4]), kept_step=40)
    train, validation, kept = sheet.axes[0].lines
    assert train.get_ydata().tolist() == [-5.0, -4.0, -3.5, -3.2]
    assert train.get_xdata().tolist() == [10, 20, 30, 40]
    assert validation.get_ydata().tolist() == [-4.5, -3.4]
    assert list(kept.get_xdata()) == [40, 40]
    assert "train validation" in texts(sheet)


def test_a_curve_that_begins_far_off_says_where():
    sheet = curve(lines([9000.0, *np.linspace(100, 90, 40)], []))
    assert sheet.axes[0].get_ylim()[1] < 200
    assert "begins at 9,000, above" in texts(sheet)
    rising = lines([-9000.0, *np.linspace(-100, -90, 40)], [])
    assert "begins at \N{MINUS SIGN}9,000, below" in texts(curve(rising))


def test_a_curve_leaves_out_what_is_not_finite():
    sheet = curve(lines([np.nan, -4.0, np.inf, -3.0], []))
    assert sheet.axes[0].lines[0].get_ydata().tolist() == [-4.0, -3.0]


@pytest.mark.parametrize(
    ("values", "drawn"), [([], []), ([1.0], [[1.0]]), ([np.nan, np.nan], []), ([2, np.nan], [[2]])]
)
def test_a_curve_of_next_to_nothing_can_be_drawn(values, drawn):
    sheet = curve(lines(values, []))
    assert [line.get_ydata().tolist() for line in sheet.axes[0].lines] == drawn
    assert ("train" in texts(sheet)) == bool(drawn)
    assert svg(sheet).count("<path") >= len(drawn)


def test_a_curve_shows_its_ceiling_on_an_axis_that_holds_it():
    own, top = {"validation": np.array([[1, 2, 3], [0.5, 1.0, 1.5]])}, {"validation": np.array([[1, 2, 3], [3.5] * 3])}
    ax = curve(own, ceilings=top).axes[0]
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_ydata().tolist() for line in dashed] == [[3.5] * 3]
    assert ax.get_ylim()[0] <= 0 < 3.5 < ax.get_ylim()[1]
    assert not any(line.get_linestyle() == "--" for line in curve(own).axes[0].lines)


def test_a_curve_leaves_out_the_preparation():
    own = {"train": np.stack([np.arange(1, 41), [*np.full(20, 2000.0), *np.linspace(9, 8, 20)]])}
    ax = curve(own, prepared=20).axes[0]
    assert ax.get_ylim()[1] < 12
    assert "2,000 before step 20, above" in " ".join(text.get_text() for text in ax.texts)
    assert curve(own).axes[0].get_ylim()[1] > 1900


def test_bars_fall_and_are_coloured_by_activity():
    sheet = rate_bars(np.array([0.5, 2.0, 0.001]), np.array([True, True, False]))
    bars = sheet.axes[0].patches
    assert [bar.get_height() for bar in bars] == [2.0, 0.5, 0.001]
    assert [to_hex(bar.get_facecolor()) for bar in bars] == [FIRST, FIRST, SECOND]
    assert [tick.get_text() for tick in sheet.axes[0].get_xticklabels()] == ["z1", "z0", "z2"]


def test_names_of_many_bars_do_not_touch():
    sheet = rate_bars(np.linspace(1, 0, 300), np.ones(300, bool), width=880)
    sheet.draw_without_rendering()
    boxes = [label.get_window_extent() for label in sheet.axes[0].get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


def test_a_histogram_holds_every_value_once():
    values = np.concatenate([np.random.default_rng(0).normal(size=500), [-40.0]])
    sheet = fit_histogram(values, label="fit", marks={"bad": -3.5, "typical": 0.0})
    assert sum(bar.get_height() for bar in sheet.axes[0].patches) == 501
    assert [line.get_xdata()[0] for line in sheet.axes[0].lines] == [-3.5, 0.0]


def test_a_histogram_of_equal_values_can_be_drawn():
    sheet = fit_histogram(np.zeros(10), label="fit", marks={"typical": 0.0})
    assert sum(bar.get_height() for bar in sheet.axes[0].patches) == 10
    assert "<svg" in svg(sheet)


def test_scatter_puts_every_point_of_every_class():
    points = np.random.default_rng(0).normal(size=(50, 2))
    classes = Classes(codes=np.arange(50) % 3, names=("a", "b", "c"))
    sheet = latent_scatter(points, classes)
    for code, dots in enumerate(sheet.axes[0].collections):
        np.testing.assert_array_equal(dots.get_offsets(), points[classes.codes == code])
    assert [text.get_text() for text in sheet.axes[0].texts] == ["a", "b", "c"]
    (low, high), (bottom, top) = sheet.axes[0].get_xlim(), sheet.axes[0].get_ylim()
    assert high - low == pytest.approx(top - bottom)


def test_the_name_of_a_class_at_the_edge_stays_in_the_plane_and_off_its_only_point():
    points = np.array([[-12.0, 0.0], [3.0, -3.0], [2.0, -4.0], [1.0, -1.0]])
    names = ("Microtubule stabilizers", "Protein synthesis")
    sheet = latent_scatter(points, Classes(codes=np.array([0, 1, 1, 1]), names=names))
    sheet.canvas.draw()
    ax = sheet.axes[0]
    for text in ax.texts:
        box, frame = text.get_window_extent(), ax.get_window_extent()
        assert frame.x0 <= box.x0 < box.x1 <= frame.x1
        assert frame.y0 <= box.y0 < box.y1 <= frame.y1
    assert not ax.texts[0].get_window_extent().contains(*ax.transData.transform(points[0]))


def test_scatter_colours_numbers_on_a_scale_with_its_name():
    points = np.random.default_rng(0).normal(size=(50, 2))
    sheet = latent_scatter(points, points[:, 0], label_name="dose")
    np.testing.assert_array_equal(sheet.axes[0].collections[0].get_array(), points[:, 0])
    assert sheet.axes[1].get_ylabel() == "dose"


@pytest.mark.parametrize("name", ["$x$", r"$\bad{", "a_b^c", "\u7d30\u80de", "<b>&"])
def test_a_class_may_have_any_name(name):
    points = np.random.default_rng(0).normal(size=(4, 2))
    sheet = latent_scatter(points, Classes(codes=np.zeros(4, int), names=(name,)))
    assert name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in svg(sheet)
    png(sheet)


def test_names_at_one_place_are_moved_apart():
    points = np.random.default_rng(0).normal(size=(400, 2))
    classes = Classes(codes=np.arange(400) % 8, names=tuple(f"treatment {i}" for i in range(8)))
    sheet = latent_scatter(points, classes)
    sheet.draw_without_rendering()
    boxes = [text.get_window_extent() for text in sheet.axes[0].texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_more_classes_than_colours_differ_by_marker():
    classes = Classes(codes=np.arange(30), names=tuple(map(str, range(30))))
    assert len({classes.style(code) for code in range(30)}) == 30


def test_a_class_panel_shows_its_class_before_all_others():
    points = np.random.default_rng(0).normal(size=(9, 2))
    others, own = class_panel(points, Classes(codes=np.arange(9) % 2, names=("a", "b")), 1).axes[0].collections
    assert (len(others.get_offsets()), len(own.get_offsets())) == (5, 4)


def test_svg_is_well_formed_and_takes_colour_and_type_from_the_page():
    text = svg(curve(lines([3.0, 2.0], [2.5])))
    ET.fromstring(text.replace("<svg", '<svg xmlns:xlink="http://www.w3.org/1999/xlink"', 1))
    assert f"var(--first, {FIRST})" in text
    assert "font-family" not in text
    assert "DejaVu" not in text
    assert "http" not in text
    assert "<g id" not in text


def test_the_same_figure_gives_the_same_bytes():
    own = lines([3.0, 2.0], [2.5])
    assert svg(curve(own)) == svg(curve(own))


def test_png_has_two_pixels_per_css_pixel():
    sheet = curve(lines([3.0, 2.0], [2.5]), width=300, height=200)
    assert Image.open(io.BytesIO(png(sheet))).size == (600, 400)


def test_drawing_leaves_the_settings_of_matplotlib_alone():
    before = dict(mpl.rcParams)
    svg(curve(lines([3.0, 2.0], [2.5])))
    assert dict(mpl.rcParams) == before


def test_pyplot_is_never_imported():
    code = "import sys, vaelab.plots; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
