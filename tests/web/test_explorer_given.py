"""The explorer's page of a model under conditions and of two stages."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import torch

from explorer_pages import composed, opened, picture
from report_runs import NASTY, condition_of
from vaelab.inference import reconstruct

ENDS = [(0, 200), (0, 160)]


@pytest.fixture
def view(staged):
    return staged.app.runs[0].view


@pytest.fixture
def channels(view):
    from vaelab.plots import channel_colours

    colours = np.rint(channel_colours(view.run.channels) * 255).astype(np.uint8)
    return "channels=0_" + "_".join(f"1~{bytes(c).hex()}~{lo}~{hi}" for c, (lo, hi) in zip(colours, ENDS, strict=True))


def becomes(tab, selector, expected):
    """Waits until a canvas shows exactly this."""
    for _ in range(60):
        shown = picture(tab, selector)[..., :3] if tab.locator(selector).count() else np.zeros(0)
        if shown.shape == expected.shape and np.array_equal(shown, expected):
            return
        tab.wait_for_timeout(100)
    np.testing.assert_array_equal(shown, expected)


def under(view, place, **wanted):
    """(channel, height, width): the image's code under its own condition, drawn under another, in stored units."""
    row = view.rows[[place]]
    with torch.no_grad():
        z = view.run.model.given(condition_of(view.run, row)).encode(view.run.feed(row)).mean
        drawn = view.run.model.given(condition_of(view.run, row, **wanted)).decode(z).mean.numpy()
    return view.run.intensity.invert(drawn).astype(np.float32)[0]


def test_what_is_drawn_follows_the_condition_that_is_chosen(tab, staged, view, channels):
    opened(tab, staged, f"pin={view.rows[4]}&{channels}")
    becomes(tab, "#decoded .frame canvas", composed(view, under(view, 4), ENDS))
    names = tab.locator("#conditions .neighbour small").all_inner_texts()
    assert names == view.table["moa"].value_counts().index.tolist()
    for k, name in enumerate(names):
        becomes(tab, f"#conditions .neighbour >> nth={k} >> canvas", composed(view, under(view, 4, moa=name), ENDS))
    tab.locator("#conditions").get_by_label("moa", exact=True).select_option(NASTY)
    dose = tab.locator("#conditions").get_by_label("dose", exact=True)
    dose.fill("2.5")
    dose.press("Enter")
    expected = composed(view, under(view, 4, moa=NASTY, dose=2.5), ENDS)
    becomes(tab, "#decoded .frame canvas", expected)
    becomes(tab, "#pinned figure:nth-child(2) canvas", expected)
    assert f"under moa {NASTY}, dose 2.5" in tab.locator("#decoded .where").inner_text()
    assert "under" in parse_qs(urlsplit(tab.url).fragment)
    tab.reload()
    tab.wait_for_selector("body[data-ready=all]")
    becomes(tab, "#decoded .frame canvas", expected)
    tab.get_by_role("button", name="own", exact=True).click()
    becomes(tab, "#decoded .frame canvas", composed(view, under(view, 4), ENDS))
    assert tab.locator("img").count() == 0


def test_the_other_stage_is_shown_with_its_own_latents_and_the_same_image(tab, staged, view, channels):
    run, row = view.run, view.rows[[6]]
    opened(tab, staged, f"pin={row[0]}&map=z0,z1&{channels}")
    tab.wait_for_selector("#stages figure >> nth=1")
    for k, stage in enumerate(run.stages):
        drawn = run.intensity.invert(reconstruct(run.at_stage(stage), row)).astype(np.float32)[0]
        becomes(tab, f"#stages figure >> nth={k} >> canvas", composed(view, drawn, ENDS))
    assert tab.locator(".sliders li").count() == 2
    tab.get_by_label("Stage of the model that is shown").select_option("first")
    tab.wait_for_selector(".sliders li >> nth=5", state="attached")
    tab.wait_for_selector("body[data-ready=all]")
    drawn = run.intensity.invert(reconstruct(run.at_stage("first"), row)).astype(np.float32)[0]
    becomes(tab, "#pinned figure:nth-child(2) canvas", composed(view, drawn, ENDS))
    assert "map" not in parse_qs(urlsplit(tab.url).fragment)


def test_a_model_without_conditions_of_one_stage_shows_neither_panel(tab, explored):
    opened(tab, explored)
    assert not tab.locator("#conditions").is_visible()
    assert not tab.locator("#stages").is_visible()
