"""Rows of values with intervals: the axis, and what lies far outside it."""

from __future__ import annotations

import pytest

from vaelab.plots import Dot, dot_rows, svg


def axes(rows):
    (ax,) = dot_rows(rows, label="nats").axes
    return ax


def test_the_axis_spans_values_intervals_and_seeds_and_trivial_values_nearby():
    rows = [Dot("a", 2.0, (1.0, 3.0), (0.0, 4.0), (1.5, 5.0), "first"), Dot("PCA", 6.0, kind="trivial")]
    low, high = axes(rows).get_xlim()
    assert (low, high) == pytest.approx((-0.36, 6.36))


@pytest.mark.parametrize(("value", "words"), [(100.0, "100"), (-99.5, "\N{MINUS SIGN}99.5")])
def test_a_trivial_value_far_outside_is_written_at_the_edge(value, words):
    ax = axes([Dot("a", 2.0, (1.0, 3.0)), Dot("mean image", value, kind="trivial")])
    assert ax.get_xlim() == pytest.approx((0.88, 3.12))
    assert [text.get_text() for text in ax.texts] == [words]


def test_names_that_are_long_keep_their_end_and_equal_values_have_an_axis():
    ax = axes([Dot("x" * 40 + "-seed-1", 4.0), Dot("b", 4.0)])
    assert ax.get_yticklabels()[0].get_text().endswith("x-seed-1")
    assert len(ax.get_yticklabels()[0].get_text()) == 26
    assert ax.get_xlim()[0] < 4 < ax.get_xlim()[1]


def test_the_chart_takes_its_colours_from_the_page():
    assert "var(--first" in svg(dot_rows([Dot("a", 1.0, (0.5, 1.5))], label="nats"))
