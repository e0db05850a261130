"""The explorer in a real browser: what is seen is what Python computes, by mouse and by key; nothing leaves home."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import torch

from explorer_pages import CHANNELS, ENDS, composed, opened, picture
from explorer_runs import NASTY
from vaelab.inference import decode_mean


@pytest.fixture
def view(explored):
    return explored.app.runs[0].view


def test_a_pinned_image_is_drawn_as_python_composes_it(tab, explored, view):
    opened(tab, explored, f"pin={view.rows[4]}&channels={CHANNELS}")
    tab.wait_for_selector("#pinned figure >> nth=2")
    shown = picture(tab, "#pinned figure:nth-child(1) canvas")
    np.testing.assert_array_equal(shown[..., :3], composed(view, view.stored([4])[0], ENDS))
    again = picture(tab, "#pinned figure:nth-child(2) canvas")
    np.testing.assert_array_equal(again[..., :3], composed(view, view.reconstructed([4])[0], ENDS))
    assert tab.locator("#pinned .neighbour").count() == 8


def test_a_slider_that_is_moved_decodes_what_python_decodes(tab, explored, view):
    opened(tab, explored, f"channels={CHANNELS}")
    latent = int(view.latents_in_order()[0])
    typed = tab.get_by_label(f"z{latent}, typed")
    typed.fill("1.5")
    typed.press("Enter")
    z = view.codes.loc.mean(0, dtype=np.float64).astype(np.float32)
    z[latent] = 1.5
    drawn = view.run.intensity.invert(decode_mean(view.run, torch.from_numpy(z[None]))).astype(np.float32)[0]
    expected = composed(view, drawn, ENDS)
    for _ in range(50):
        shown = picture(tab, "#decoded .frame canvas")[..., :3]
        if shown.shape == expected.shape and np.array_equal(shown, expected):
            break
        tab.wait_for_timeout(100)
    np.testing.assert_array_equal(shown, expected)
    slider = tab.get_by_label(f"z{latent}, from")
    slider.focus()
    slider.press("ArrowRight")
    tab.wait_for_timeout(600)
    assert "z=" in tab.url
    before = tab.url
    tab.reload()
    tab.wait_for_selector("body[data-ready=all]")
    assert float(typed.input_value()) == pytest.approx(float(slider.input_value()), abs=0.01)
    assert tab.url.partition("z=")[2][:40] == before.partition("z=")[2][:40]


def test_hover_shows_an_image_and_click_pins_it(tab, explored, view):
    opened(tab, explored, "map=z0,z1&thumbnails=off")
    tab.locator("#map").press("0")
    box = tab.locator("#map").bounding_box()
    tab.locator("#map").press("Enter")
    tab.wait_for_selector("#pinned figure >> nth=2")
    pinned = tab.locator("#pinned-title").inner_text()
    assert pinned in view.names()
    tab.keyboard.press("]")
    after = view.names()[(view.names().index(pinned) + 1) % len(view)]
    tab.wait_for_selector(f"#pinned-title:text-is('{after}')")
    tab.keyboard.press("Escape")
    tab.wait_for_selector("#pinned .hint")
    x, y = where(tab, view, 11, box)
    tab.mouse.move(x - 3, y)
    tab.mouse.move(x, y)
    tab.wait_for_selector(".card:not([hidden])")
    named = tab.locator(".card strong").inner_text()
    tab.mouse.click(x, y)
    tab.wait_for_selector("#pinned figure >> nth=2")
    assert tab.locator("#pinned-title").inner_text() == named == view.names()[11]


def where(tab, view, place, box):
    """The place of an image on the screen, by the view in the address, which is set when the map has come to rest."""
    tab.wait_for_timeout(300)
    text = parse_qs(urlsplit(tab.url).fragment)["view"][0].partition("~")[0]
    middle_x, middle_y, span = map(float, text.split(","))
    scale = min(box["width"], box["height"]) / span
    x, y = view.codes.loc[place, :2].tolist()
    return box["x"] + box["width"] / 2 + (x - middle_x) * scale, box["y"] + box["height"] / 2 - (y - middle_y) * scale


@pytest.mark.parametrize("shown", [True, False])
def test_thumbnails_take_the_place_of_points_where_there_is_room(tab, explored, view, shown):
    x, y = view.codes.loc[11, :2].tolist()
    opened(tab, explored, f"map=z0,z1&view={x},{y},1e-5~z0,z1&thumbnails={'on' if shown else 'off'}")
    seen = """canvas => [...canvas.getContext("2d")
        .getImageData(canvas.width / 2 - 15, canvas.height / 2 + 12, 31, 1).data]"""
    for _ in range(200 if shown else 3):
        tab.wait_for_timeout(300)
        covered = bool((np.array(tab.locator("#map canvas.over").evaluate(seen))[3::4] == 255).all())
        if covered:
            break
    assert covered == shown


def test_thumbnails_that_come_before_the_channels_are_drawn_as_the_address_says(tab, explored, view, monkeypatch):
    answers = explored.app.runs[0]
    x, y = view.codes.loc[11, :2].tolist()
    there = f"map=z0,z1&view={x},{y},1e-5~z0,z1&channels={CHANNELS}"
    seen = """canvas => [...canvas.getContext("2d")
        .getImageData(canvas.width / 2 - 15, canvas.height / 2 + 12, 31, 1).data]"""

    def drawn():
        opened(tab, explored, there)
        for _ in range(100):
            tab.wait_for_timeout(200)
            found = np.array(tab.locator("#map canvas.over").evaluate(seen))
            if (found[3::4] == 255).all():
                return found
        raise AssertionError("There are no thumbnails.")

    quantiles, as_always = answers.quantiles, drawn()
    tab.goto("about:blank")
    monkeypatch.setattr(type(answers), "quantiles", property(lambda _: (time.sleep(2), quantiles)[1]))
    np.testing.assert_array_equal(drawn(), as_always)


def test_free_ground_is_decoded_and_said_to_hold_no_data(tab, explored):
    opened(tab, explored)
    for _ in range(6):
        tab.locator("#map").press("-")
    box = tab.locator("#map").bounding_box()
    tab.mouse.click(box["x"] + 40, box["y"] + box["height"] - 60)
    tab.wait_for_selector("#decoded .frame.far")
    assert "No data here" in tab.locator("#decoded .density").inner_text()

    def middle():
        cross = tab.locator("#map .cross").bounding_box()
        return [cross["x"] + cross["width"] / 2 - box["x"], cross["y"] + cross["height"] / 2 - box["y"]]

    assert "far" in tab.locator("#map .cross").get_attribute("class")
    np.testing.assert_allclose(middle(), [40, box["height"] - 60], atol=1)
    tab.locator("#map").press("ArrowRight")
    for _ in range(50):
        tab.wait_for_timeout(100)
        if middle()[0] < 0:
            break
    np.testing.assert_allclose(middle(), [-20, box["height"] - 60], atol=1)


def test_a_click_in_the_legend_filters_and_names_are_never_html(tab, explored, view):
    opened(tab, explored)
    kind = tab.locator(".kind", has_text="<img").first
    total = int((view.table["moa"] == NASTY).sum())
    kind.click()
    tab.wait_for_selector(".kind[aria-pressed=true]")
    assert tab.locator(".kind[aria-pressed=true] .tally").inner_text() == f"{total} / {total}"
    assert f"{total} / {len(view)} images" in tab.locator("#selection").inner_text()
    place = int(np.flatnonzero(view.table["moa"] == NASTY)[0])
    tab.keyboard.press("/")
    tab.keyboard.type(view.names()[place])
    tab.wait_for_selector("#found button")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#pinned figure >> nth=2")
    assert NASTY in tab.locator("#pinned dl.columns").inner_text()
    assert tab.locator("img").count() == 0
    assert tab.title() != "broken"


def tally(tab):
    return int(tab.locator("#selection .tally-line").inner_text().partition(" / ")[0])


def test_a_lasso_selects_what_lies_inside_and_is_held_by_image(tab, explored, view):
    opened(tab, explored, "map=z0,z1&thumbnails=off")
    box = tab.locator("#map").bounding_box()
    where(tab, view, 0, box)  # waits until the map has come to rest
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.keyboard.press("r")
    drag(tab, [(x - 90, y - 90), (x + 60, y + 120)])
    text = parse_qs(urlsplit(tab.url).fragment)["view"][0].partition("~")[0]
    middle, scale = np.array(text.split(",")[:2], float), min(box["width"], box["height"]) / float(text.split(",")[2])
    points = (view.codes.loc[:, :2] - middle) * scale * [1, -1]
    inside = ((points > [-90, -90]) & (points < [60, 120])).all(1)
    assert tally(tab) == inside.sum() > 5
    tab.select_option("#map-kind", "PCA")  # another map, the same images
    tab.wait_for_timeout(300)
    assert tally(tab) == inside.sum()
    tab.reload()
    tab.wait_for_selector("body[data-ready=all]")
    assert tally(tab) == inside.sum()
    tab.locator("#map").press("i")
    assert tally(tab) == (~inside).sum()
    tab.keyboard.press("q")
    middle = round(float(np.median(view.codes.loc[:, 0])), 3)
    tab.keyboard.type(f"z0 > {middle} and concentration >= 0.1")
    tab.keyboard.press("Enter")
    expected = (view.codes.loc[:, 0] > middle) & (view.table["concentration"].to_numpy() > 0.0999)
    tab.wait_for_selector(f".tally-line:has-text('{expected.sum()} / ')")
    tab.keyboard.type("x")
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".wrong:has-text('should')")
    tab.wrong[:] = [words for words in tab.wrong if "400" not in words]
    tab.locator("#map").focus()
    tab.keyboard.press("Escape")
    assert "select" in tab.locator("#selection .tally-line").inner_text()


def test_an_end_that_was_not_typed_leaves_nobody_out(tab, explored, view):
    rounded_up = [k for k, low in enumerate(view.codes.loc.min(0)) if float(f"{low:.3g}") > low]
    opened(tab, explored, f"colour=z{rounded_up[0]}")
    z, upper = view.codes.loc[:, rounded_up[0]], tab.locator("#legend [data-end='1']")
    middle = float(np.median(z))
    upper.fill(str(middle))
    upper.press("Enter")
    tab.wait_for_selector("#selection .tally-line:has-text(' / ')")
    assert tally(tab) == (z <= np.float32(middle)).sum()


def drag(tab, corners):
    tab.mouse.move(*corners[0])
    tab.mouse.down()
    for corner in corners[1:]:
        tab.mouse.move(*corner, steps=4)
    tab.mouse.up()


def test_two_selections_are_compared_and_one_is_saved(tab, explored, view):
    opened(tab, explored, "colour=moa")
    tab.keyboard.press("q")
    middle = round(float(np.median(view.codes.loc[:, 0])), 3)
    tab.keyboard.type(f"z0 > {middle}")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#selection .comparing:not([hidden])")
    ends = tab.locator("#selection .comparing select")
    assert ends.evaluate_all("all => all.map((end) => end.value)") == ["0", "1"]
    tab.get_by_role("button", name="Compare", exact=True).click()
    tab.wait_for_selector("dialog.compared", timeout=60_000)
    assert "z0" in tab.locator("dialog.compared > table tbody th").all_inner_texts()
    assert tab.locator("dialog.compared canvas").count() == 3
    tab.keyboard.press("Escape")
    with tab.expect_download() as started:
        tab.get_by_role("button", name="table").click()
    lines = started.value.path().read_text().splitlines()
    assert len(lines) == 1 + (view.codes.loc[:, 0] > middle).sum()
    with tab.expect_download() as started:
        tab.get_by_role("button", name="sheet").click()
    assert started.value.path().read_bytes().startswith(b"\x89PNG")


def test_what_is_kept_is_not_compared_with_itself_when_others_are_selected(tab, explored, view):
    opened(tab, explored, "colour=moa")
    answers = explored.app.runs[0].selections
    tab.keyboard.press("q")
    tab.keyboard.type(f"row > {np.median(view.rows):.0f}")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#selection .keeping:not([hidden])")
    tab.get_by_label("Name under which the selection is kept with the run").fill("above the middle")
    tab.get_by_role("button", name="Keep", exact=True).click()
    tab.wait_for_selector("#selection .kept li")
    values = "all => all.map((end) => end.value)"
    ends = tab.locator("#selection .comparing select")
    tab.get_by_role("button", name="clear", exact=True).click()
    assert set(ends.evaluate_all(values)) == {f"={each['name']}" for each in answers.known()[:2]}
    tab.get_by_role("button", name="above the middle").click()
    tab.wait_for_selector("#selection .keeping:not([hidden])")
    assert ends.evaluate_all(values) == ["0", "1"]
    ends.nth(1).select_option("=above the middle")
    tab.get_by_role("button", name="invert").click()
    assert ends.evaluate_all(values) == ["0", "=above the middle"]


def test_a_way_begins_and_ends_at_its_images_and_stands_in_the_address(tab, explored, view):
    opened(tab, explored, f"pin={view.rows[4]}&channels={CHANNELS}")
    tab.get_by_label("Way from").select_option("pinned")
    tab.keyboard.press("]")
    tab.wait_for_selector(f"#pinned-title:text-is('{view.names()[5]}')")
    tab.get_by_label("to", exact=True).select_option("pinned")
    tab.wait_for_selector(".strip-row .step >> nth=8")
    for step, place in ((0, 4), (8, 5)):
        shown = picture(tab, f".strip-row .step >> nth={step} >> canvas")
        np.testing.assert_array_equal(shown[..., :3], composed(view, view.decoded(view.codes.loc[[place]])[0], ENDS))
    with tab.expect_download() as started:
        tab.get_by_role("button", name="film").click()
    assert started.value.path().read_bytes().startswith(b"GIF89a")
    tab.reload()
    tab.wait_for_selector(".strip-row .step >> nth=8")
    assert f"embed(run, [{view.rows[4]}, {view.rows[5]}])" in tab.locator(".code").text_content()
    tab.locator("#map").press("v")
    tab.wait_for_selector("canvas.latent-grid")


def to(tab, words):
    """Goes on by Tab to the control of that name."""
    named = """words => {
        const at = document.activeElement;
        const name = at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent;
        return name.trim().startsWith(words);
    }"""
    for _ in range(250):
        if tab.evaluate(named, words):
            return
        tab.keyboard.press("Tab")
    raise AssertionError(words)


def asked(tab, name, is_there=bool):
    """What the address says, once it is so."""
    for _ in range(60):
        found = parse_qs(urlsplit(tab.url).fragment).get(name, [""])[0]
        if is_there(found):
            return found
        tab.wait_for_timeout(100)
    raise AssertionError(f"{name}: {found}")


def test_all_of_it_is_done_by_keys_alone_and_the_focus_stays(tab, explored, view):
    opened(tab, explored, "map=z0,z1&thumbnails=off")
    press, kept = tab.keyboard.press, "document.activeElement !== document.body"
    for key in ("m", "p", "Escape", "g"):  # the map's kind: PCA; the map
        press(key)
    asked(tab, "map", lambda name: name == "PCA")
    for key in ("+", "ArrowRight"):  # nearer, to the right
        press(key)
    asked(tab, "view", lambda name: name.endswith("~PCA"))
    press("t")
    asked(tab, "thumbnails", lambda shown: not shown)
    press("t")
    press("Enter")
    row = asked(tab, "pin")
    to(tab, "The next image")
    press("Enter")
    tab.wait_for_selector(f"#pinned-title:text-is('{view.names()[view.rows.tolist().index(int(row)) + 1]}')")
    tab.wait_for_selector("#pinned figure >> nth=2")
    assert tab.evaluate(kept)
    to(tab, "The next image")

    tab.locator("#channels").get_by_role("checkbox").first.focus()
    press("Space")
    asked(tab, "channels", lambda each: "_0~" in each)
    assert tab.evaluate("document.activeElement.type") == "checkbox"

    press("g")
    press("d")  # decodes in the middle of the map
    z = asked(tab, "z")
    press("s")
    press("ArrowRight")
    asked(tab, "z", lambda moved: moved not in ("", z))
    assert tab.evaluate("document.activeElement.type") == "range"

    press("w")
    to(tab, "Way from")
    press("ArrowDown")  # the pinned image
    to(tab, "to")
    press("End")  # the decoded place, or the mean of what was kept last
    asked(tab, "way", lambda way: way.startswith("straight~"))
    tab.wait_for_selector(".strip-row .step >> nth=8")

    press("Escape")
    press("c")
    tab.keyboard.type("moa")
    first = tab.locator("#legend .kind").first
    first.wait_for()
    first.focus()
    press("Enter")
    tab.wait_for_selector(".kind[aria-pressed=true]")
    assert tab.evaluate("document.activeElement.ariaPressed") == "true"
    some = tally(tab)
    press("g")
    press("x")
    assert abs(tally(tab) - some) == 1
    press("i")
    assert 0 < tally(tab) < len(view)
    to(tab, "Name under which the selection is kept")
    tab.keyboard.type("by keys")
    press("Enter")
    tab.wait_for_selector("#selection .kept li:has-text('by keys')")


def test_keys_are_explained_and_every_control_has_a_name(tab, explored):
    opened(tab, explored)
    tab.keyboard.press("?")
    assert tab.locator("dialog.help").is_visible()
    tab.keyboard.press("Escape")
    assert not tab.locator("dialog.help").is_visible()
    nameless = """() => [...document.querySelectorAll("button, input, select, canvas[role], [tabindex]")]
        .filter(each => !each.getAttribute("aria-label") && !each.textContent.trim() && !each.labels?.length)
        .map(each => each.outerHTML)"""
    assert tab.evaluate(nameless) == []


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(1440, 900, "light"), (1024, 768, "dark"), (600, 900, "light")]
)
def test_nothing_is_wider_than_the_window_and_words_can_be_read(tab, explored, view, width, height, scheme):
    tab.set_viewport_size({"width": width, "height": height})
    tab.emulate_media(color_scheme=scheme)
    opened(tab, explored, f"pin={view.rows[2]}&map=z0,z1")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    contrast = """([text, ground]) => {
        const probe = document.body.appendChild(document.createElement("i"));
        const light = name => {
            probe.style.color = `var(${name})`;
            const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255);
            const [r, g, b] = parts.map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
            return .2126 * r + .7152 * g + .0722 * b;
        };
        const [a, b] = [light(text), light(ground)].sort((x, y) => y - x);
        return (a + .05) / (b + .05);
    }"""
    for pair in ("ink paper", "muted paper", "muted void", "first paper", "first soft", "warn warn-page", "warn paper"):
        assert tab.evaluate(contrast, [f"--{name}" for name in pair.split()]) >= 4.5, pair


def test_without_the_token_the_page_says_where_it_is(tab, explored):
    tab.goto(explored.url.partition("?")[0])
    tab.wait_for_selector("body[data-ready=failed]")
    assert "token" in tab.locator("#notes").inner_text()
    assert any("403" in words for words in tab.wrong)
    tab.wrong.clear()
