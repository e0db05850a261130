"""What the page shows is made again elsewhere: ways by its lines of Python, points by its other painter."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from explorer_pages import from_url


def opened(tab, server, state):
    tab.goto(f"{server.url}#{state}")
    tab.wait_for_selector("body[data-ready=all]", timeout=60_000)


@pytest.mark.parametrize(("kind", "start"), [("straight", "pinned"), ("geodesic", "decoded")])
def test_the_lines_of_python_make_the_way_that_is_shown(tab, server, kind, start):
    view = server.app.runs[0].view
    opened(tab, server, f"pin={view.rows[3]}")
    if start == "decoded":
        tab.get_by_label("z0, typed").fill("1.37")
        tab.get_by_label("z0, typed").press("Enter")
    tab.get_by_label("Way from").select_option(start)
    tab.locator("#map").press("]")
    tab.wait_for_selector(f"#pinned-title:text-is('{view.names()[4]}')")
    tab.get_by_label("Kind of way").select_option(kind)
    answered = lambda answer: "/way?" in answer.url and answer.status == 200  # noqa: E731
    with tab.expect_response(answered, timeout=120_000) as found:
        tab.get_by_label("to", exact=True).select_option("pinned")
    codes = np.frombuffer(found.value.body(), "<f4").reshape(9, -1).copy()
    tab.wait_for_selector(".strip-row .step >> nth=8")
    names: dict = {}
    exec(tab.locator(".code").text_content(), names)
    np.testing.assert_allclose(names["codes"], codes, rtol=1e-4, atol=1e-4)
    drawn = view.run.intensity.invert(torch.as_tensor(names["images"]).numpy())
    np.testing.assert_allclose(drawn, view.decoded(codes), rtol=1e-3, atol=0.05)


PAINTED = """({ places, looks, visible }) => {
    const [{ Camera }, { WebGLPoints }] = [modules["camera.js"], modules["points_webgl.js"]];
    const { CanvasPoints } = modules["points_canvas.js"];
    const camera = Object.assign(new Camera(), { x: 0, y: 0, scale: 1, width: 320, height: 240 });
    return [WebGLPoints, CanvasPoints].map((Painter) => {
        const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
        const painter = new Painter(canvas);
        painter.setPoints(Float32Array.from(places), Uint32Array.from(places.slice(places.length / 2), (_, i) => i));
        painter.setLooks(Uint8Array.from(looks), Uint32Array.from(looks.slice(3 * looks.length / 4), (_, i) => i));
        painter.draw(camera, { ground: [255, 255, 255], ratio: 1, moving: false, visible });
        const shown = Object.assign(document.createElement("canvas"), { width: 320, height: 240 }).getContext("2d");
        shown.fillStyle = "#fff";
        shown.fillRect(0, 0, 320, 240);
        shown.drawImage(canvas, 0, 0);
        return shown.canvas.toDataURL();
    });
}"""


def painted(tab, places, looks, visible):
    """(painter, height, width, 3): by WebGL2, and in memory."""
    settings = {"places": places.ravel().tolist(), "looks": looks.ravel().tolist(), "visible": visible}
    return np.array([from_url(url) for url in tab.evaluate(PAINTED, settings)], float)[..., :3]


def test_points_have_the_same_shapes_and_colours_from_both_painters(tab, server):
    tab.goto(server.url)
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.arange(-130, 131, 26), np.arange(-90, 91, 26))
    places = np.stack([x.ravel(), y.ravel()], -1)
    shapes = 2 * (np.arange(len(places)) % 6) + rng.integers(0, 2, len(places))
    looks = np.column_stack([rng.integers(0, 200, (len(places), 3)), shapes])
    by_card, in_memory = painted(tab, places, looks, len(places))
    assert (by_card < 250).any(-1).mean() > 0.05
    for (left, up), look in zip(places, looks, strict=True):
        top, side = 120 - up - 12, 160 + left - 12
        cells = [shown[top : top + 24, side : side + 24] for shown in (by_card, in_memory)]
        inks = [(255 - cell).sum() for cell in cells]
        assert inks[0] == pytest.approx(inks[1], rel=0.12), look
        if look[3] >> 1 != 5:  # a ring has no middle
            for cell in cells:
                share = 0.92 if look[3] & 1 else 0.75
                assert np.abs(cell[11:13, 11:13] - (255 + share * (look[:3] - 255))).max() < 9, look


def test_a_crowd_is_as_dense_and_of_the_same_colours_from_both_painters(tab, server):
    tab.goto(server.url)
    rng = np.random.default_rng(1)
    places = rng.normal(size=(30_000, 2)) * [50, 30]
    kinds = np.array([[200, 30, 30], [20, 120, 30], [30, 60, 200]])
    looks = np.column_stack([kinds[(places[:, 0] > 0) + (places[:, 1] > 0).astype(int)], np.full(len(places), 1)])
    by_card, in_memory = painted(tab, places, looks, len(places))
    blocks = [shown.reshape(30, 8, 40, 8, 3).mean((1, 3)) for shown in (by_card, in_memory)]
    apart = np.abs(blocks[0] - blocks[1])
    assert (apart.mean(), apart.max()) < (4, 40)
    assert apart.max() < 40
    assert (blocks[0] < 200).any()


def screen(tab):
    """(height, width, 3): what is seen of the map."""
    return np.asarray(Image.open(io.BytesIO(tab.locator("#map").screenshot())).convert("RGB"), float)


PLAYED = """const own = WebGL2RenderingContext.prototype.getParameter;
WebGL2RenderingContext.prototype.getParameter = function (what) {
    return what === 0x9246 ? "A card" : own.call(this, what);
};"""
DRAWN_BY = """() => ["webgl2", "2d"].map((kind) => document.querySelector("canvas.points").getContext(kind) !== null)"""


def test_points_come_from_memory_and_a_graphics_card_takes_over(tab, server):
    def shown():
        tab.goto(f"{server.url}&again={len(seen)}")
        tab.wait_for_selector("body[data-ready=all]")
        tab.wait_for_timeout(500)
        seen.append(tab.evaluate(DRAWN_BY))
        return screen(tab)

    seen = []
    in_memory = shown()
    tab.add_init_script(PLAYED)
    by_card = shown()
    assert seen == [[False, True], [True, False]]
    assert np.abs(by_card - in_memory).mean() < 2
    tab.locator("#map").press("+")
    tab.wait_for_timeout(500)
    assert np.abs(screen(tab) - by_card).mean() > 2
