"""Runs whose source may have a hole: what is measured of them, compared, and drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from report_runs import rosettes_run
from vaelab.data.sources.rosettes import render_rosettes
from vaelab.evaluation import hole
from vaelab.runs import Run
from vaelab.runs import hole as of_runs
from vaelab.runs.compare import compare
from vaelab.runs.question import ask
from vaelab.runs.results import measure

HOLE = ["hole_error", "hole_iou", "hole_ratio", "hole_against_nearest", "hole_reach", "hole_encoder_share"]


@pytest.fixture(autouse=True)
def _short_searches(monkeypatch):
    monkeypatch.setattr(hole, "SEARCHES", (replace(hole.SEARCHES[0], num_steps=5),))


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Run]:
    place = tmp_path_factory.mktemp("hole")
    return [rosettes_run(place, name) for name in ("rosettes_punctured", "rosettes")]


def test_a_run_on_the_plane_is_measured_in_the_hole_with_its_rivals_and_read_back(runs):
    run, _ = runs
    question = ask(run, num_samples=2)
    measured = measure(run, question, HOLE)
    rows, table = measured.rows, run.dataset.collection.table
    inside = table["inside_hole"].to_numpy()[rows]
    x, y = run.feed(rows).numpy(), hole.decoded(run.model, measured.codes)
    errors = np.array([np.mean((a - b) ** 2) for a, b in zip(x, y, strict=True)])
    assert measured.score("hole_error").value == pytest.approx(errors[inside].mean(), rel=1e-5)
    assert measured.score("hole_error", "outside").value == pytest.approx(errors[~inside].mean(), rel=1e-5)
    training = run.feed(run.splits.train).numpy()
    nearest = [min(np.mean((image - other) ** 2) for other in training) for image in x]
    score = measured.score("hole_error", model=hole.NEAREST)
    assert score.value == pytest.approx(np.mean(np.array(nearest)[inside]), rel=1e-4)
    reached, own = (measured.arrays[name] for name in ("reached_errors", "squared_errors"))
    assert (reached[np.isfinite(reached)] <= own[np.isfinite(reached)]).all()
    assert repr(measure(run, question, HOLE).scores) == repr(measured.scores)


def test_where_the_codes_are_the_truth_and_the_decoder_draws_it_there_is_no_error(runs, monkeypatch):
    run, _ = runs
    rows = run.splits.test
    truth = run.dataset.collection.table[["a", "b"]].to_numpy()[rows]
    size = run.model.image_shape[-1]

    def perfect(model, codes: np.ndarray) -> np.ndarray:
        return render_rosettes(*codes.T, size, line_width=run.experiment.data.source.line_width) / np.float32(255)

    monkeypatch.setattr(hole, "decoded", perfect)
    found = measure(run, ask(run, num_samples=1), ["active_units"])
    measured = of_runs.with_hole(run, "", rows, HOLE[:4], found, {"codes": truth}, asked=False, seed=0)
    assert measured.score("hole_error").value == pytest.approx(0, abs=1e-12)
    assert measured.score("hole_iou").value == 1


def test_full_and_punctured_are_compared_on_fresh_points_and_lines_that_neither_was_trained_on(runs):
    found = compare(runs, metrics=["hole_error", "hole_ratio"], num_samples=1)
    table = runs[0].dataset.collection.table
    num_points = runs[0].experiment.data.source.num_images
    assert (found.rows >= num_points).all()
    assert len(found.rows) == len(table) - num_points
    parts = {(line.entry, line.score.part) for line in found.lines if line.score.metric == "hole_error"}
    assert {part for _, part in parts} >= {"", "inside", "outside", "disc", "along a", "diagonal, outside"}
    paired = [line.difference for line in found.lines if line.score.metric == "hole_error" and line.difference]
    assert paired
    assert all(each.interval for each in paired if each.value)


def test_codes_are_searched_for_unasked_only_where_that_is_cheap(runs, monkeypatch):
    run, _ = runs
    rows, found = run.splits.test, measure(run, ask(run, num_samples=1), ["active_units"])
    monkeypatch.setattr(hole, "AFFORDABLE", 0)
    unasked = of_runs.with_hole(run, "", rows, HOLE, found, found.arrays, asked=False, seed=0)
    assert unasked.score("hole_error")
    assert unasked.score("hole_reach") is None
    assert unasked.score("hole_encoder_share") is None


def test_a_source_without_a_hole_has_nothing_of_it(runs):
    run, _ = runs
    source = run.experiment.data.source
    bare = replace(run, experiment=run.experiment)
    object.__setattr__(source, "hole", None)
    try:
        found = measure(run, ask(run, num_samples=1), ["active_units"])
        assert of_runs.with_hole(bare, "", run.splits.test, HOLE, found, found.arrays, asked=True, seed=0) is found
    finally:
        object.__delattr__(source, "hole")


def test_lines_are_drawn_alone_in_their_order(runs, tmp_path: Path):
    from vaelab.report import draw

    path = draw(runs[0], "transects", tmp_path / "t.png")
    with np.load(path.with_suffix(".npz")) as arrays:
        assert arrays["levels"].tolist() == ["image", "reconstruction", "best code found"]
        assert arrays["images"].shape == (3, 45, 1, 16, 16)
        for line in ("along b", "along a", "diagonal"):
            np.testing.assert_allclose(arrays["position"][arrays["lines"] == line], np.linspace(0, 1, 15))
        assert set(arrays["ways"]) == {"reconstruction", "best code found", hole.NEAREST, hole.BLEND}
