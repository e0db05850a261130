"""Rosettes against brute force, matplotlib's drawing, the arc's length and their own symmetry."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.integrate import quad
from scipy.ndimage import rotate

from vaelab.data.sources.rosettes import RosettesSource, render_rosettes
from vaelab.errors import InputError

CURVES = [(1.2, 1.9, 2.0), (2.0, 0.3, 1.0), (2.0, 2.0, 3.0), (0.5, 0.0, 2.0), (0.7, 1.0, 0.6), (0.0, 0.0, 2.0)]


def corners(a, b):
    theta = np.linspace(0, 2 * np.pi, 500)
    radius = b * np.cos(5 * theta) + a
    return np.stack([radius * np.cos(theta), radius * np.sin(theta)], 1)


def distance_in_pixels(a, b, size, per_pixel=1):
    """Brute force: from each (sub-)pixel's centre to each segment in turn, in float64."""
    axis = -4 + 8 * (np.arange(size * per_pixel) + 0.5) / (size * per_pixel)
    points = np.stack(np.meshgrid(axis, -axis), -1)
    least = np.full(points.shape[:2], np.inf)
    points_of_curve = corners(a, b)
    for start, end in pairwise(points_of_curve):
        edge = end - start
        share = np.clip((points - start) @ edge / max(edge @ edge, 1e-30), 0, 1)
        least = np.minimum(least, np.linalg.norm(points - start - share[..., None] * edge, axis=-1))
    return least * size / 8


@pytest.mark.parametrize(("a", "b", "width"), CURVES)
@pytest.mark.parametrize("size", [32, 45])
def test_levels_follow_from_the_exact_distance(a, b, width, size):
    image = render_rosettes(np.array([a]), np.array([b]), size, line_width=width)[0, 0]
    exact = 255 * np.clip(width / 2 + 0.5 - distance_in_pixels(a, b, size), 0, min(1, width))
    assert np.abs(image - exact).max() < 0.51


@pytest.mark.parametrize(("a", "b", "width"), CURVES[:4])
def test_levels_are_near_the_area_that_supersampling_counts(a, b, width):
    image = render_rosettes(np.array([a]), np.array([b]), 48, line_width=width)[0, 0] / 255
    covered = (distance_in_pixels(a, b, 48, per_pixel=5) <= width / 2).reshape(48, 5, 48, 5).mean((1, 3))
    assert np.abs(image - covered).mean() < 0.006
    assert image.sum() == pytest.approx(covered.sum(), rel=0.02)


def test_matplotlib_draws_the_same_picture():
    for a, b in [(1.2, 1.9), (1.9, 0.4)]:
        figure = Figure(figsize=(2.56, 2.56), dpi=100, facecolor="black")
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-4, 4), ylim=(-4, 4))
        axes.axis("off")
        axes.plot(*corners(a, b).T, color="white", linewidth=2 * 72 / 100)
        canvas.draw()
        theirs = np.asarray(canvas.buffer_rgba())[..., 0].astype(float)
        ours = render_rosettes(np.array([a]), np.array([b]), 256)[0, 0]
        assert np.abs(ours - theirs).mean() / 255 < 0.002
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.98


def test_the_white_is_the_arc_length_times_the_width():
    a, b = np.array([0.6, 1.0, 1.5, 2.0]), np.array([0.0, 0.3, 0.6, 1.0])
    white = render_rosettes(a, b, 256, line_width=2).sum((1, 2, 3)) / 255
    lengths = [
        quad(lambda t, a=a, b=b: np.hypot(a + b * np.cos(5 * t), 5 * b * np.sin(5 * t)), 0, 2 * np.pi, limit=200)[0]
        for a, b in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(white, np.array(lengths) * 256 / 8 * 2, rtol=0.01)


def test_a_fifth_of_a_turn_changes_little_and_a_tenth_much():
    images = RosettesSource(num_images=20, line_width=5).load().images[:, 0].astype(float)
    images = images[RosettesSource(num_images=20).load().table["b"] > 0.5]

    def agreement(degrees):
        turned = rotate(images, degrees, axes=(1, 2), reshape=False, order=1)
        return np.array([np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in zip(images, turned, strict=True)])

    assert agreement(72).min() > 0.97
    assert agreement(36).max() < 0.7


def test_a_negative_radius_goes_to_the_other_side():
    outer, inner = render_rosettes(np.array([2.0, 0.0]), np.array([0.0, 2.0]), 64, line_width=1)[:, 0]
    assert outer[32, 47] > 0  # (2, 0): theta 0 of the circle
    assert inner[32, 47] > 0  # (2, 0): theta 0, and theta pi, where R = -2
    assert inner[32, :16].max() == 0  # so nothing at (-2, 0)


def test_factors_out_of_sight_and_nonsense():
    assert render_rosettes(np.array([50.0]), np.array([0.0]), 16).max() == 0
    with pytest.raises(InputError, match="finite"):
        render_rosettes(np.array([np.nan]), np.array([0.0]), 16)


def test_full_and_punctured_hold_the_same_points():
    full, punctured = (RosettesSource(size=8, subset=subset).load() for subset in ("full", "punctured"))
    assert full.table["split"].value_counts().to_dict() == {"train": 4499, "validation": 501}
    np.testing.assert_array_equal(full.images, punctured.images)
    table = punctured.table
    inside = (table["a"] - 1.25) ** 2 + (table["b"] - 1) ** 2 <= 0.09
    np.testing.assert_array_equal(table["inside_hole"], inside)
    np.testing.assert_array_equal(table["split"] == "test", inside)
    assert (table["split"] == full.table["split"])[~inside].all()
    expected = 5000 * np.pi * 0.3**2 / (1.5 * 2)
    assert abs(inside.sum() - expected) < 4 * np.sqrt(expected)
    assert table["a"].between(0.5, 2).all()
    assert table["b"].between(0, 2).all()
    with pytest.raises(InputError, match=r"hole_radius should leave images"):
        RosettesSource(num_images=50, size=8, subset="punctured", hole_radius=10).load()


def test_transects_cross_the_hole():
    transects = RosettesSource(size=16, subset="transects").load()
    ends = transects.table.groupby("transect", sort=False)[["a", "b"]].agg(["first", "last"])
    assert ends.loc["along b"].tolist() == [1.25, 1.25, 0, 2]
    assert ends.loc["along a"].tolist() == [0.5, 2, 1, 1]
    assert ends.loc["diagonal"].tolist() == [0.5, 2, 2, 0]
    assert (transects.table.groupby("transect").size() == 15).all()
    assert (transects.table.groupby("transect")["inside_hole"].sum() >= 3).all()
    assert not transects.table.loc[transects.table["position"].isin([0, 1]), "inside_hole"].any()
    assert set(transects.table["split"]) == {"test"}
