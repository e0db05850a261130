"""Numbers over planes, arrows, and grids of two settings."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from vaelab.metrics import Score
from vaelab.objectives.elbo import ELBO
from vaelab.penalties.total_correlation import TotalCorrelation
from vaelab.plots import svg
from vaelab.plots.arrows import arrows
from vaelab.plots.field import field
from vaelab.plots.grid import grid
from vaelab.presets import preset
from vaelab.report.weights import grids
from vaelab.runs.compare import Comparison
from vaelab.runs.differences import Line

PLACES = np.stack([np.linspace(-1, 1, 5), np.linspace(0, 2, 5)])


def test_a_field_has_its_levels_marks_and_outline():
    values = np.square(PLACES[0])[None] + np.square(PLACES[1])[:, None]
    values[0, 0] = np.nan
    drawn = field(
        PLACES, values, label="nats", axes=("z0", "z1"), levels=[0, 1, 2], ellipse=(np.zeros(2), np.ones(2)),
        marks={"mean": np.zeros(2), "best": np.ones(2)}, curves=np.zeros((1, 3, 2)),
    )  # fmt: skip
    assert [text.get_text() for text in drawn.axes[0].get_legend().get_texts()] == ["mean", "best"]
    (outline,) = drawn.axes[0].patches
    assert (outline.width, outline.height) == (2, 2)
    assert "nats" in svg(drawn)
    assert field(PLACES, values, label="", axes=("a", "b")).axes[0].get_xlim() == (-1, 1)


def test_arrows_go_from_start_to_end():
    start, end = np.zeros((4, 2)), np.array([[1.0, 0], [2, 0], [0, 3], [0, 0]])
    drawn = arrows(start, end, axes=("a", "b"))
    assert sum(len(each.U) for each in drawn.axes[0].collections) == 4
    assert drawn.axes[0].get_ylim()[1] > 3
    arrows(start, start, axes=("a", "b"))


def test_a_grid_names_its_numbers():
    drawn = grid([1, 4], [0, 10], np.array([[-100, 2.5], [np.nan, 3]]), label="nats", axes=("a", "b"))
    assert [text.get_text() for text in drawn.axes[0].texts] == ["\N{MINUS SIGN}100", "2.5", "3"]


def _comparison(objectives, values):
    base = preset("digits")
    runs = [SimpleNamespace(experiment=replace(base, objective=objective)) for objective in objectives]
    entries = [SimpleNamespace(name=f"run {i}", run=run, stage=None) for i, run in enumerate(runs)]
    lines = [
        Line(entry=entry.name, score=Score(metric="elbo", value=value, unit="nats per image", count=9), seeds=(value,))
        for entry, value in zip(entries, values, strict=True)
    ]
    comparison = object.__new__(Comparison)
    vars(comparison).update(entries=entries, lines=lines)
    return comparison


def _objectives(*pairs):
    return [ELBO(rate_weight=beta, penalties=(TotalCorrelation(weight=weight),)) for beta, weight in pairs]


@pytest.mark.filterwarnings("error")
def test_models_that_differ_in_two_numbers_stand_on_a_grid():
    pairs = [(beta, weight) for beta in (1.0, 4.0) for weight in (0.5, 2.0)]
    (found,) = grids(_comparison(_objectives(*pairs), [-10.0, -20.0, -30.0, -40.0]))
    ax = found.chart.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("total correlation weight", "rate weight")
    assert [float(text.get_text().replace("\N{MINUS SIGN}", "-")) for text in ax.texts] == [-10, -20, -30, -40]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.5", "2"]


def test_other_comparisons_have_no_grid():
    three = _objectives((1, 1), (1, 2), (2, 1))
    assert not grids(_comparison(three, [1.0, 2.0, 3.0]))
    one = _objectives((1, 1), (2, 1), (3, 1), (4, 1))
    assert not grids(_comparison(one, [1.0, 2.0, 3.0, 4.0]))
    two = _objectives((1, 1), (1, 2), (2, 1), (2, 2))
    in_three = [replace(each, warm_up_steps=steps) for steps, each in enumerate(two)]
    assert not grids(_comparison(in_three, [1.0, 2.0, 3.0, 4.0]))
