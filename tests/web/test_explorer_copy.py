"""A static copy in a real browser, opened as a file: it shows what the explorer shows, and asks for its files alone."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest

from explorer_pages import picture
from tabs import until
from vaelab.explorer.answers import Answers
from vaelab.explorer.export import export


@pytest.fixture(scope="module")
def copy(explored_pair, tmp_path_factory):
    return export([answers.view for answers in explored_pair.app.runs], tmp_path_factory.mktemp("copy") / "page")


@pytest.fixture
def page(tab, copy):
    def opened(state=""):
        tab.goto(f"{copy.as_uri()}#{state}", wait_until="commit")
        tab.wait_for_selector("body[data-ready=all]", timeout=60_000)
        return tab

    yield opened
    assert {urlsplit(url).scheme for url in tab.asked} == {"file"}
    assert all(str(copy.parent) in url for url in tab.asked)


def pixels(tab, selector):
    return picture(tab, selector)[..., :3]


ENDS = "0_" + "_".join(f"1~{colour}~0~65535" for colour in ("ff0000", "00ff00", "0000ff"))


def seen(image):
    """The bytes of an image between ENDS, each channel in a colour of its own."""
    return np.rint(np.clip(image.astype(np.float64) / 65535, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)


def test_images_and_what_is_near_them_are_those_of_the_server(page, explored_pair):
    answers = explored_pair.app.runs[0]
    view = answers.view
    place = int(np.flatnonzero(np.isin(view.rows, explored_pair.app.runs[1].view.rows))[2])
    tab = page(f"pin={view.rows[place]}&channels={ENDS}")
    tab.wait_for_selector("#pinned figure >> nth=4")
    np.testing.assert_array_equal(pixels(tab, "#pinned figure:nth-child(1) canvas"), seen(view.stored([place])[0]))
    drawn = np.rint(view.reconstructed([place])[0])
    again = pixels(tab, "#pinned figure:nth-child(2) canvas").astype(int)
    assert np.abs(again - seen(drawn).astype(int)).max() <= 1
    record, near = Answers(view).record(place), answers.near(view.codes.loc[place].astype(np.float64), 9)
    assert tab.locator("#pinned-title").inner_text() == record["name"]
    shown = tab.locator("#pinned dl.columns dd").all_inner_texts()
    known = [(name, value) for name, value in record["columns"] + record["measured"] if value and name != "fit"]
    assert shown == [str(record["row"]), *(value for _, value in known)]
    titles = tab.locator("#pinned .neighbour").evaluate_all("all => all.map((each) => each.title)")
    names = [each["name"] for each in near["nearest"] if each["at"] != place][:8]
    assert [title.partition(", at a distance")[0] for title in titles] == names
    assert f"{round(100 * near['share'])} % of images" in tab.locator("#pinned .facts").inner_text()
    assert tab.locator("#map-2").is_visible()


def test_free_ground_shows_the_nearest_place_that_was_decoded(page, explored_pair):
    view = explored_pair.app.runs[0].view
    tab = page(f"channels={ENDS}&thumbnails=off")
    box = tab.locator("#map").bounding_box()
    tab.mouse.click(box["x"] + 20, box["y"] + box["height"] - 60)
    until(tab, "z=")
    held = "location.hash.match(/[#&]z=([^&]+)/)[1].replaceAll('-', '+').replaceAll('_', '/')"
    z = np.array(tab.evaluate(f"[...new Float32Array(Uint8Array.from(atob({held}), c => c.charCodeAt(0)).buffer)]"))
    expected = seen(np.rint(view.decoded(z[None].astype(np.float32))[0]))
    shown = pixels(tab, "#decoded .frame canvas").astype(int)
    assert np.abs(shown - expected.astype(int)).max() <= 1
    tab.select_option("#map-kind", "latents")
    tab.wait_for_timeout(300)
    assert tab.locator("#map-kind").input_value() == "latents"


def test_what_asks_the_server_is_not_there_and_the_rest_works(page, explored_pair):
    answers = explored_pair.app.runs[0]
    view = answers.view
    tab = page()
    for gone in (
        "#ways",
        "#explained",
        "#conditions",
        ".sliders",
        "#query",
        "#selection .keeping",
        "#selection .comparing",
    ):
        assert not tab.locator(gone).first.is_visible(), gone
    assert "without a server" in tab.locator("#notes").inner_text()
    tab.keyboard.press("/")
    tab.keyboard.type(view.names()[9])
    tab.wait_for_selector("#found button")
    tab.keyboard.press("Enter")
    tab.wait_for_selector(f"#pinned-title:text-is('{view.names()[9]}')")
    tab.locator("#legend .kind").first.click()
    kind = tab.locator("#legend .kind .name").first.inner_text()
    mask = (view.table["moa"] == kind).to_numpy()
    assert tab.locator("#selection .tally-line").inner_text() == f"{mask.sum()} / {len(view)} images"
    with tab.expect_download() as started:
        tab.locator("#selection").get_by_role("button", name="table").click()
    found, expected = pd.read_csv(started.value.path()), pd.read_csv(io.StringIO(answers.selections.ids(mask)))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-5, check_dtype=False)
    for key in ("v", "w", "s", "q", "?"):
        tab.locator("#map").press(key)
    assert tab.locator("dialog[open]").count() == 1
    assert "grid of two latents" not in tab.locator("dialog[open]").inner_text()
