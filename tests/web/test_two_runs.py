"""Two runs side by side in a real browser: pin, hover and selection are of both; sliders of the one in focus."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from explorer_pages import picture


@pytest.fixture
def views(explored_pair):
    return [answers.view for answers in explored_pair.app.runs]


@pytest.fixture
def page(tab, explored_pair):
    def opened(state=""):
        tab.goto(f"{explored_pair.url}#{state}")
        tab.wait_for_selector("body[data-ready=all]", timeout=60_000)
        return tab

    return opened


def both(views):
    """Rows that both show."""
    return np.intersect1d(*(view.rows for view in views))


def grey(tab, host):
    """How many pixels of a map are of the grey of images that are not selected."""
    shown = picture(tab, f"{host} canvas.points")
    return int((np.abs(shown[..., :3].astype(int) - [0xBC, 0xC3, 0xCC]).max(-1) < 6)[shown[..., 3] > 150].sum())


def test_one_image_is_drawn_again_by_both(page, views):
    row = int(both(views)[3])
    ends = "0_" + "_".join(f"1~{colour}~0~65535" for colour in ("ff0000", "00ff00", "0000ff"))
    tab = page(f"pin={row}&channels={ends}&thumbnails=off")
    tab.wait_for_selector("#pinned figure >> nth=4")
    for k, view in enumerate(views):
        place = np.flatnonzero(view.rows == row).tolist()
        share = np.clip(view.reconstructed(place)[0].astype(np.float64) / 65535, 0, 1)
        shown = picture(tab, "#pinned figure canvas", 1 + k)[..., :3]
        np.testing.assert_array_equal(shown, np.rint(share * 255).astype(np.uint8).transpose(1, 2, 0))
    assert "run" in tab.locator("#pinned figcaption >> nth=1").inner_text()
    alone = sum(len(view) for view in views) // 2 - len(both(views))
    assert f"{alone} by run alone, {alone} by another alone" in tab.locator("#notes").inner_text()
    assert grey(tab, "#map") > 0
    assert grey(tab, "#map-2") > 0


def test_what_is_selected_in_one_is_selected_in_the_other(page, views):
    tab = page("thumbnails=off")
    assert tab.locator("#decoded").is_visible()
    assert not tab.locator("#decoded-2").is_visible()
    tab.keyboard.press("q")
    middle = round(float(np.median(views[0].codes.loc[:, 0])), 3)
    tab.keyboard.type(f"z0 > {middle}")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#selection .tally-line:has-text(' / ')")
    rows = views[0].rows[views[0].codes.loc[:, 0] > middle]
    tab.locator("#map").focus()
    tab.keyboard.press("f")
    tab.wait_for_selector("#selection-2 .tally-line:has-text(' / ')")
    expected = np.isin(views[1].rows, rows).sum()
    assert tab.locator("#selection-2 .tally-line").inner_text() == f"{expected} / {len(views[1])} images"
    tab.locator("#map-2").focus()
    tab.keyboard.press("i")
    tab.wait_for_timeout(200)
    back = np.isin(views[0].rows, views[1].rows[~np.isin(views[1].rows, rows)]).sum()
    tab.locator("#map").click(position={"x": 5, "y": 300})
    assert tab.locator("#selection .tally-line").inner_text() == f"{back} / {len(views[0])} images"
    tab.locator("#legend .kind").first.click()
    kind = tab.locator("#legend .kind .name").first.inner_text()
    tab.locator(".run-head").nth(1).click()
    seen = tab.locator("#selection-2 .tally-line").inner_text().partition(" / ")[0]
    ours, theirs = (set(view.rows[view.table["moa"] == kind]) for view in views)
    assert int(seen) == len(ours & theirs)
    colours = [
        tab.locator(f"{legend} .kind", has_text=kind).first.locator("path").get_attribute("fill")
        for legend in ("#legend", "#legend-2")
    ]
    assert colours[0] == colours[1]


def test_the_point_of_a_hovered_image_is_ringed_in_both(page, views):
    tab = page("map=z0,z1&thumbnails=off")
    row = int(both(views)[5])
    tab.wait_for_timeout(300)
    text = parse_qs(urlsplit(tab.url).fragment)["view"][0].partition("~")[0]
    x, y, span = map(float, text.split(","))
    box = tab.locator("#map").bounding_box()
    at = views[0].codes.loc[np.flatnonzero(views[0].rows == row)[0], :2]
    scale = min(box["width"], box["height"]) / span
    before = picture(tab, "#map-2 canvas.over")
    left, top = box["x"] + box["width"] / 2 + (at[0] - x) * scale, box["y"] + box["height"] / 2 - (at[1] - y) * scale
    tab.mouse.move(float(left) - 3, float(top))
    tab.mouse.move(float(left), float(top))
    tab.wait_for_selector("#map .card:not([hidden])")
    tab.wait_for_timeout(100)
    assert (picture(tab, "#map-2 canvas.over") != before).any()


def test_sliders_are_of_the_run_in_focus_and_the_address_holds_both(page, views):
    tab = page("focus=2")
    assert tab.locator("#decoded-2 .sliders li").count() == views[1].latent_dim
    latent = int(views[1].latents_in_order()[0])
    typed = tab.locator("#decoded-2").get_by_label(f"z{latent}, typed")
    typed.fill("1.25")
    typed.press("Enter")
    tab.select_option("#map-kind-2", "latents")
    tab.wait_for_timeout(700)
    held = parse_qs(urlsplit(tab.url).fragment)
    assert {"z-2", "map-2", "focus"} <= set(held)
    assert "z" not in held
    tab.reload()
    tab.wait_for_selector("body[data-ready=all]")
    assert float(typed.input_value()) == 1.25
    assert tab.locator("#map-kind-2").input_value() == "latents"
    assert tab.locator("#map-kind").input_value() == "PCA"
    for size in ({"width": 1440, "height": 900}, {"width": 1024, "height": 768}, {"width": 600, "height": 900}):
        tab.set_viewport_size(size)
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
