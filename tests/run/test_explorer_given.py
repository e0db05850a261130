"""The explorer of a model under conditions and of two stages: what it draws is what the model does, given these."""

from __future__ import annotations

from urllib.parse import quote

import numpy as np
import pytest
import torch

from explorer_asks import array, ask, said
from report_runs import NASTY, condition_of
from vaelab.explorer import explore
from vaelab.inference import embed, reconstruct


@pytest.fixture(scope="module")
def view(staged):
    return staged.app.runs[0].view


def opened(explorer, path):
    """Once the stage is there."""
    while ask(explorer, path)[0] == 202:
        pass
    return path


def drawn(view, z, conditions):
    """(image, channel, height, width): by hand, in stored units."""
    with torch.no_grad():
        return view.run.intensity.invert(view.run.model.given(conditions).decode(z).mean.numpy())


def test_a_code_is_drawn_under_another_condition_and_else_under_the_images_own(staged, view):
    z, rows = torch.tensor([[0.5, -1.0], [0.0, 0.3]]), view.rows[[7, 7]]
    for under, wanted in (
        ({}, {}),
        ({"moa": "taxol"}, {"moa": "taxol"}),
        ({"dose": "1.25"}, {"dose": 1.25}),
        ({"moa": NASTY, "dose": "0"}, {"moa": NASTY, "dose": 0.0}),
    ):
        asked = "".join(f"&under={quote(f'{name}={value}', safe='')}" for name, value in under.items())
        found = array(staged, f"/run/0/decode?like=7{asked}", z.numpy().tobytes())
        np.testing.assert_allclose(found, drawn(view, z, condition_of(view.run, rows, **wanted)), rtol=1e-4, atol=1e-3)


def test_a_reconstruction_under_another_condition_has_the_code_under_its_own(staged, view):
    rows = view.rows[[3, 8]]
    with torch.no_grad():
        z = view.run.model.given(condition_of(view.run, rows)).encode(view.run.feed(rows)).mean
    expected = drawn(view, z, condition_of(view.run, rows, moa="DMSO"))
    found = array(staged, "/run/0/reconstruction?at=3,8&under=moa%3DDMSO")
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)
    own = array(staged, "/run/0/reconstruction?at=3,8")
    np.testing.assert_allclose(own, view.run.intensity.invert(reconstruct(view.run, rows)), rtol=1e-5)


def test_the_conditions_that_there_are_come_by_how_many_images_have_them(staged, view):
    moa, dose = said(staged, "/run/0/about")["conditions"]
    assert moa["categories"] == view.table["moa"].value_counts().index.tolist()
    assert (dose["low"], dose["high"]) == pytest.approx((view.table["dose"].min(), view.table["dose"].max()))


ODD = ["moa", "moa=nothing", "plate=1", "dose=x", "dose=nan", "=", "", "moa=DMSO&under=moa=DMSO", "dose=1e999"]


@pytest.mark.parametrize("under", ODD)
def test_odd_conditions_are_refused_in_a_sentence(staged, under):
    status, _, words = ask(staged, f"/run/0/decode?under={under}", bytes(8))
    assert status == 400
    assert len(words) < 400
    assert b"Traceback" not in words


def test_a_model_without_conditions_takes_none(explained):
    assert ask(explained, "/run/0/decode?under=label=1", bytes(16))[0] == 400
    assert said(explained, "/run/0/about")["conditions"] == []


def test_each_stage_has_its_own_codes_latents_and_images(staged, view):
    run = view.run
    first, about = run.at_stage("first"), said(staged, opened(staged, "/run/0-first/about"))
    assert (about["stage"], about["stages"], len(about["latents"])) == ("first", ["first", "second"], 6)
    assert said(staged, "/run/0/about")["stage"] == "second"
    codes = embed(first, "test").loc
    np.testing.assert_array_equal(array(staged, "/run/0-first/codes?at=0,4"), codes[[0, 4]])
    np.testing.assert_array_equal(array(staged, "/run/0-first/points?map=z5,z1"), codes[:, [5, 1]])
    expected = run.intensity.invert(reconstruct(first, view.rows[[2]]))
    np.testing.assert_allclose(array(staged, "/run/0-first/reconstruction?at=2"), expected, rtol=1e-5)
    np.testing.assert_array_equal(array(staged, "/run/0-second/codes?at=0"), array(staged, "/run/0/codes?at=0"))
    assert ask(staged, "/run/0-third/about")[0] == 404
    assert ask(staged, "/run/0-/about")[0] == 200
    assert ask(staged, "/run/1-first/about")[0] == 404


def test_a_way_is_kept_with_the_stage_that_it_is_of(staged, view):
    ends = np.zeros((2, 2), np.float32)
    said(staged, "/run/0/keep_way?name=here&kind=straight&from=a&to=b", ends.tobytes())
    try:
        assert [each["name"] for each in said(staged, "/run/0/ways")] == ["here"]
        assert said(staged, opened(staged, "/run/0-first/ways")) == []
    finally:
        (view.run.folder / "ways" / "here.json").unlink()


def test_a_selection_that_is_kept_is_there_in_either_stage(staged, view):
    opened(staged, "/run/0-first/about")
    mask = np.packbits(np.arange(len(view)) % 3 == 0, bitorder="little").tobytes()
    said(staged, "/run/0-first/keep?name=third", mask)
    (view.run.folder / "columns" / "third.csv").unlink()
    for path in ("/run/0", "/run/0-first"):
        assert said(staged, f"{path}/selections")[-1]["name"] == "third"
        assert "third" in [each["name"] for each in said(staged, f"{path}/about")["columns"]]


def test_a_stage_that_was_asked_for_leads_to_the_other(view):
    explorer = explore(view.run, stage="first", port=0)
    try:
        assert said(explorer, "/run/0/about")["stage"] == "first"
        assert said(explorer, opened(explorer, "/run/0-second/about"))["stage"] == "second"
    finally:
        explorer.stop()
