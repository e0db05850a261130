"""Pictures of classifiers show exactly the numbers given, whatever classes are called."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from vaelab.plots import confusion, png, predicted, reliability, svg
from vaelab.plots.style import FIRST


def test_a_calibration_curve_shows_each_bin_with_its_interval_and_all_images():
    means, shares = np.array([0.55, 0.95]), np.array([0.4, 0.9])
    ends, sure = np.array([[0.2, 0.6], [0.8, 1.0]]), np.repeat(means, [3, 5])
    sheet = reliability(means, shares, ends, sure)
    above, below = sheet.axes
    _, *bars, dots = above.lines
    np.testing.assert_array_equal(dots.get_xydata(), np.stack([means, shares], 1))
    for bar, x, own in zip(bars, means, ends, strict=True):
        np.testing.assert_array_equal(bar.get_xydata(), [[x, own[0]], [x, own[1]]])
    assert sum(bar.get_height() for bar in below.patches) == 8
    assert above.get_xlim()[0] < 0.55 < 0.95 < above.get_xlim()[1]
    assert above.get_ylim()[0] < 0.2 < 1.0 < above.get_ylim()[1]
    assert svg(sheet).startswith("<svg")


def test_one_image_can_be_drawn():
    sheet = reliability(np.array([1.0]), np.array([1.0]), np.array([[0.2, 1.0]]), np.array([1.0]))
    assert png(sheet)
    assert png(predicted(np.array([2.0]), np.array([2.0]), name="dose"))


def cells(sheet) -> dict[tuple[int, int], float]:
    """(row, column) -> how strongly it is coloured."""
    found = [patch for patch in sheet.axes[0].patches if isinstance(patch, Rectangle)]
    assert all(to_rgba(patch.get_facecolor())[:3] == to_rgba(FIRST)[:3] for patch in found)
    return {(round(p.get_y() + 0.5), round(p.get_x() + 0.5)): p.get_alpha() for p in found}


def test_a_confusion_shows_shares_of_rows():
    counts = np.array([[9, 1, 0], [0, 4, 4], [0, 0, 0]])
    sheet = confusion(counts, ("a", "b", "c"))
    assert cells(sheet) == {(0, 0): 0.9, (0, 1): 0.1, (1, 1): 0.5, (1, 2): 0.5}
    assert [text.get_text() for text in sheet.axes[0].texts][:4] == ["90", "10", "50", "50"]
    assert {"10", "8", "0"} <= {text.get_text() for text in sheet.axes[0].texts}
    assert [tick.get_text() for tick in sheet.axes[0].get_yticklabels()] == ["a", "b", "c"]


@pytest.mark.parametrize("names", [["$x$", "<b>&", "x" * 80], [str(i) for i in range(100)]])
def test_a_confusion_of_any_names_can_be_drawn_and_they_do_not_touch(names):
    sheet = confusion(np.eye(len(names), dtype=int), names)
    assert "<svg" in svg(sheet)
    sheet.draw_without_rendering()
    boxes = [tick.get_window_extent() for tick in sheet.axes[0].get_yticklabels()]
    assert all(one.y0 >= other.y1 - 1 for one, other in itertools.pairwise(boxes))
    assert len(boxes) <= 40


def test_predictions_lie_where_they_are_on_equal_axes():
    known, told = np.random.default_rng(0).normal(size=(2, 50))
    ax = predicted(known, told, name="dose").axes[0]
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), np.stack([known, told], 1))
    assert ax.get_xlim() == ax.get_ylim()
    assert ax.get_xlabel() == "dose"
