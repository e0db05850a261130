"""The explorer where things go wrong or are odd: no server, a slow one, two tabs, odd runs, a million points."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from explorer_pages import picture
from explorer_runs import tiny_run
from tabs import until
from vaelab.explorer import explore
from vaelab.explorer.pair import open_views
from vaelab.explorer.serve import Explorer
from vaelab.runs import load


def opened(tab, explorer, state="", ready="all"):
    tab.goto(f"{explorer.url}#{state}")
    tab.wait_for_selector(f"body[data-ready={ready}]", timeout=90_000)


def drawn(tab, selector="#decoded .frame canvas"):
    return picture(tab, selector)[..., :3]


WHITE = "0_1~ffffff~0~255"


def seen(view, z):
    """What a decoded code of one channel in 8 bits looks like under WHITE."""
    share = np.clip(view.decoded(np.asarray(z, np.float32)[None])[0, 0].astype(np.float64) / 255, 0, 1)
    return np.repeat(np.rint(share * 255).astype(np.uint8)[..., None], 3, -1)


def settled(tab, expected, patience_s=20.0):
    """Waits until the decoded image is what it should be."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end and not np.array_equal(drawn(tab), expected):
        tab.wait_for_timeout(100)
    np.testing.assert_array_equal(drawn(tab), expected)


def typed(tab, latent, value):
    field = tab.get_by_label(f"z{latent}, typed")
    field.fill(str(value))
    field.press("Enter")


def mean_with(view, latent, value):
    z = view.codes.loc.mean(0, dtype=np.float64).astype(np.float32)
    z[latent] = value
    return z


def test_the_page_says_when_the_server_is_gone_and_goes_on_when_it_is_back(tab, tiny):
    views = open_views([tiny])
    first = Explorer(views, port=0).start()
    opened(tab, first, f"channels={WHITE}")
    first.stop()
    typed(tab, 0, 2.5)
    tab.wait_for_selector("#notes .away:has-text('does not answer')", timeout=20_000)
    assert tab.locator("#notes p").count() == 1
    again = Explorer(views, port=first.port, token=first.token).start()
    try:
        settled(tab, seen(views[0], mean_with(views[0], 0, 2.5)))
        assert tab.locator("#notes .away").count() == 0
        tab.locator("#map").press("]")
        tab.wait_for_selector("#pinned figure >> nth=2")
    finally:
        again.stop()
    tab.locator("#map").press("]")
    tab.wait_for_selector("#notes .away:has-text('does not answer')", timeout=20_000)
    other = Explorer(views, port=first.port).start()
    tab.wait_for_selector("#notes .away:has-text('started anew')", timeout=20_000)
    other.stop()
    assert all("ERR_CONNECTION" in words or "403" in words for words in tab.wrong), tab.wrong
    tab.wrong.clear()


def test_a_slow_server_answers_the_last_question_and_the_page_shows_that_it_waits(tab, server, monkeypatch):
    answers = server.app.runs[0]
    asked, decode, goes_on = [], answers.decoded, threading.Event()

    def slow(z, like, under, side):
        if side is None:
            asked.append(z[0, 0])
            goes_on.wait(60)
        return decode(z, like, under, side)

    opened(tab, server, f"channels={WHITE}")
    monkeypatch.setattr(answers, "decoded", slow)
    for value in (0.5, 1.0, 1.5, 2.0, 2.25):
        typed(tab, 1, value)
    tab.wait_for_selector("body[data-waiting]", state="attached")
    goes_on.set()
    settled(tab, seen(answers.view, mean_with(answers.view, 1, 2.25)))
    assert len(asked) <= 3
    tab.wait_for_selector("body:not([data-waiting])", state="attached")


def test_what_the_address_says_is_seen_however_late_the_points_come(tab, server, monkeypatch):
    maps = server.app.runs[0].maps
    points = maps.points
    monkeypatch.setattr(maps, "points", lambda name: (time.sleep(0.8), points(name))[1])
    opened(tab, server, "map=z0,z1&view=0.25,-0.125,0.5~z0,z1")
    tab.locator("#map").press("ArrowLeft")
    tab.wait_for_timeout(400)
    middle_x, middle_y, span = map(float, unquote(tab.url).partition("view=")[2].partition("~")[0].split(","))
    assert (middle_y, span) == (-0.125, 0.5)
    assert middle_x < 0.25


def test_two_tabs_do_not_disturb_each_other(new_tab, server):
    view = server.app.runs[0].view
    with new_tab() as one, new_tab() as other:
        for tab in (one, other):
            opened(tab, server, f"channels={WHITE}")
        for step in (0.5, 1.0, 1.5):
            typed(one, 0, step)
            typed(other, 0, -step)
        settled(one, seen(view, mean_with(view, 0, 1.5)))
        settled(other, seen(view, mean_with(view, 0, -1.5)))
        assert one.wrong == other.wrong == []


ODD = {
    "one latent": {"latent_dim": 1},
    "many latents": {"latent_dim": 300},
    "many channels": {"channels": 30},
    "five images": {"held_out": 5},
}


@pytest.mark.parametrize("odd", ODD)
def test_runs_of_odd_numbers_are_shown(tab, tmp_path, odd):
    explorer = explore(tiny_run(tmp_path / "odd", **ODD[odd]), port=0)
    try:
        view = explorer.app.runs[0].view
        opened(tab, explorer, "thumbnails=off")
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        channels, *_ = view.run.facts.image_shape
        assert tab.locator("#channels li").count() == channels
        assert tab.locator(".sliders li").count() == view.latent_dim
        assert 1 <= tab.locator(".sliders > ul li").count() <= 8
        tab.locator("#map").press("Enter")
        tab.wait_for_selector("#pinned figure >> nth=2")
        assert tab.locator("#pinned .neighbour").count() == min(8, len(view) - 1)
        tab.select_option("#map-kind", "latents")
        until(tab, "map=z")
        typed(tab, view.latents_in_order()[0], 1.0)
        until(tab, "&z=")
        if odd == "five images":
            tab.select_option("#map-kind", "t-SNE")
            until(tab, "~t-SNE")
        assert tab.locator("#notes p").count() == 0
    finally:
        explorer.stop()


def test_without_images_codes_are_shown_and_drawn(tab, tiny, tmp_path):
    open_views([tiny])  # while there are images: codes are kept
    explorer = explore(load(tiny.folder, images=tmp_path / "nowhere.npz"), port=0)
    try:
        opened(tab, explorer, f"pin={tiny.splits.test[0]}")
        tab.wait_for_selector("#pinned figure canvas")
        assert "nowhere" in tab.locator("#notes").inner_text()
        assert tab.locator("#pinned figure").count() == 1
        assert tab.locator("#map .bar input").is_disabled()
        assert not [url for url in tab.asked if "/pixels" in url or "/thumbnails" in url]
    finally:
        explorer.stop()


@pytest.mark.slow
def test_a_million_points_can_be_walked_through(tab, tiny):
    (view,) = open_views([tiny])
    rng, count = np.random.default_rng(0), 1_000_000
    loc = rng.normal(size=(count, 2)).astype(np.float32)
    codes = replace(view.codes, loc=loc, scale=np.ones_like(loc))
    table = pd.DataFrame({"kind": np.array(["a", "b", "c"])[rng.integers(0, 3, count)]})
    own = {"rows": np.arange(count), "measured": table.iloc[:, :0], "latent_rates": None, "question": None}
    explorer = Explorer([replace(view, codes=codes, table=table, images=None, **own)], port=0).start()
    try:
        opened(tab, explorer, "map=z0,z1&colour=kind")
        tab.keyboard.press("r")
        box = tab.locator("#map").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        tab.mouse.move(x, y)
        tab.mouse.down()
        tab.mouse.move(x + 150, y - 150, steps=4)
        tab.mouse.up()
        tab.wait_for_selector("#selection .tally-line:has-text(' / 1,000,000 images')")
        number = int(tab.locator("#selection .tally-line").inner_text().partition(" / ")[0].replace(",", ""))
        view_text = tab.evaluate("decodeURIComponent(location.hash)").partition("view=")[2].partition("~")[0]
        middle_x, middle_y, span = map(float, view_text.split(","))
        side = 150 * span / min(box["width"], box["height"])
        inside = ((loc > [middle_x, middle_y]) & (loc < [middle_x + side, middle_y + side])).all(1).sum()
        assert number == pytest.approx(inside, rel=0.02)
        tab.keyboard.press("r")
        tab.locator("#map").press("+")
        tab.locator("#legend .kind").first.click()
        tab.wait_for_selector(".kind[aria-pressed=true]")
        tab.locator("#map").press("Enter")
        tab.wait_for_selector("#pinned figure canvas")
    finally:
        explorer.stop()
