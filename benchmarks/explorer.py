"""The explorer in a real browser: first paint, frames, lasso, slider to image, requests a second, memory; a rival.

    python -m benchmarks.explorer [--quick] [--projector PYTHON] [--chromium chromium]

The server is a process of its own on a run of 64x64x3 images (the convolutions of the disentanglement benchmark, hardly
trained); codes are drawn from a normal distribution, and their images, all of them black, lie in a memory-mapped file.
The browser is Chromium that draws in software (SwiftShader), of 1,280 x 860.

    first paint        seconds from the navigation until the points are painted, by the page's own clock
    filled             seconds until a twentieth of the window's middle is not of one colour, by screenshots; alike for
                       the rival
    frame              milliseconds from frame to frame while the map is dragged
    lasso              seconds from the release of a lasso around half of the points until they are told and painted
    slider to image    milliseconds from a slider's event until the decoded image is painted
    requests           answers a second to four clients at the same time
    memory             of the server, without pages of files (RssAnon), after all this

The rival is TensorBoard's projector, installed where PYTHON is, on the same points; `filled` alone, since its map turns
for ever. embedding-atlas 0.26 was tried: it shows no points without WebGPU, of which such a browser has none.
"""

from __future__ import annotations

import argparse
import http.client
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks import ledger

POINTS = (10_000, 100_000, 1_000_000)
FIRST_PAINT_S, SLIDER_MS, MEMORY_MB = dict(zip(POINTS, (0.6, 1.2, 8.0), strict=True)), 50.0, 300.0
MOST_OF_PROJECTOR = 100_000
"""It draws no more."""
WAIT_S = 3.0
"""After which the server lets as many requests through again."""
FLAGS = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
WINDOW = {"width": 1280, "height": 860}
MIDDLE = {"x": 420.0, "y": 250.0, "width": 400.0, "height": 400.0}
"""Of the window: where every one of these pages has its points."""
NOTE_PAINT = """new MutationObserver(() => {
    if (!["points", "all"].includes(document.body?.dataset.ready) || window.painted) return;
    window.painted = 1;
    requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }));
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-ready"] });"""
DRAG = """async (count) => {
    const map = document.querySelector("#map"), box = map.getBoundingClientRect(), times = [];
    const frame = () => new Promise(requestAnimationFrame);
    const tell = (what, i) => map.dispatchEvent(new PointerEvent(what, { bubbles: true, pointerId: 1, button: 0,
        buttons: 1, clientX: box.left + 200 + 4 * i, clientY: box.top + 200 + 3 * i }));
    map.setPointerCapture = () => {};
    tell("pointerdown", 0);
    for (let i = 1, last = await frame(); i <= count; i++) {
        tell("pointermove", i);
        const now = await frame();
        times.push(now - last);
        last = now;
    }
    tell("pointerup", count);
    return times;
}"""
SLIDE = """async (count) => {
    const slider = document.querySelector(".sliders input[type=range]"), host = document.querySelector("#decoded");
    const [low, high] = [Number(slider.min), Number(slider.max)], times = [];
    for (let i = 0; i < count; i++) {
        const asked = performance.now();
        const came = new Promise((done) => {
            const seen = new MutationObserver(() => {
                seen.disconnect();
                requestAnimationFrame(() => setTimeout(done));
            });
            seen.observe(host, { attributes: true, attributeFilter: ["data-ms"] });
        });
        slider.value = low + ((high - low) * ((i * 7) % 20 + 0.5)) / 20;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        await came;
        times.push(performance.now() - asked);
        await new Promise((done) => setTimeout(done, 40));
    }
    return times;
}"""
NOTE_LASSO = """() => {
    addEventListener("pointerup", () => { window.released = performance.now(); }, { capture: true, once: true });
    new MutationObserver((_, seen) => {
        seen.disconnect();
        requestAnimationFrame(() => setTimeout(() => { window.told = performance.now(); }));
    }).observe(document.querySelector("#selection .tally-line"), { childList: true });
}"""


def points_of(count: int) -> np.ndarray:
    """(image, latent): codes, as many as the network has."""
    return np.random.default_rng(0).normal(size=(count, 10)).astype(np.float32)


def train(folder: Path) -> None:
    """A run of one step, of whose network alone the times depend."""
    from benchmarks.embed_streamed import trained
    from benchmarks.millions import Patterns
    from vaelab.data import ImageCollection
    from vaelab.data.packing import pack

    pack(ImageCollection(images=Patterns(64), table=pd.DataFrame({"i": np.arange(64)})), folder / "shards")
    trained(folder / "run", folder / "shards", {})


def serve(count: int, folder: Path) -> None:
    """Shows so many points of the run until it is killed; says where."""
    from vaelab.explorer.pair import open_views
    from vaelab.explorer.serve import Explorer
    from vaelab.explorer.view import mapped
    from vaelab.machine import give_back_memory
    from vaelab.runs import load

    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (count, 3, 64, 64))
    (view,) = open_views([load(folder / "run")])
    codes = replace(view.codes, loc=points_of(count), scale=np.ones((count, view.latent_dim), np.float32))
    codes, kinds = mapped(codes, folder), np.array(["a", "b", "c", "d"])[np.arange(count) % 4]
    own = {"rows": np.arange(count), "measured": pd.DataFrame(index=range(count)), "latent_rates": None}
    table = pd.DataFrame({"kind": kinds})
    shown = replace(view, codes=codes, table=table, images=images, question=None, **own)
    explorer = Explorer([shown], port=0)
    give_back_memory()
    print(explorer.start().url, flush=True)
    threading.Event().wait()


@contextmanager
def running(command: list[str], place: Path) -> Iterator[subprocess.Popen]:
    """A process in a folder, killed after the block."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=place) as process:
        try:
            yield process
        finally:
            process.kill()


def until(tab: Any, expression: str) -> None:
    """Waits for what the page's policy lets nobody else wait for."""
    for _ in range(4000):
        if tab.evaluate(expression):
            return
        tab.wait_for_timeout(25)
    raise RuntimeError(f"{expression} did not come true.")


def filled(tab: Any, start: float) -> float:
    """Seconds from the start until a twentieth of the window's middle is of other colours than most of it."""
    from playwright.sync_api import Error

    while (now := time.perf_counter()) - start < 120:
        try:
            picture = tab.screenshot(clip=MIDDLE)
        except Error:  # of a page that has only begun
            continue
        shot = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).reshape(-1, 3)
        _, counts = np.unique(shot, axis=0, return_counts=True)
        if counts.max() < 0.95 * len(shot):
            return now - start
    return float("nan")


def ours(browser: Any, count: int, folder: Path, quick: bool) -> list[dict[str, Any]]:
    """All that is measured of so many points."""
    command, root = [sys.executable, "-m", "benchmarks.explorer", "--serve", str(count)], Path(__file__).parents[1]
    rows, few = list[dict[str, Any]](), 5 if quick else 60

    def row(what: str, values: Any, unit: str, aim: float | None = None) -> None:
        middle, high = np.median(values), np.quantile(values, 0.95)
        known = {"contestant": "vaelab", "points": count, "what": what, "median": round(float(middle), 3)}
        rows.append(known | {"95 %": round(float(high), 3), "unit": unit, "aim": aim})
        print(rows[-1], flush=True)

    with running([*command, "--folder", str(folder)], root) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        painted, whole = [], []
        for _ in range(1 if quick else 3):
            tab = browser.new_page(viewport=WINDOW)
            tab.add_init_script(NOTE_PAINT)
            tab.goto(f"{url}#map=z0,z1&colour=kind", wait_until="commit")
            until(tab, "window.painted > 1")
            painted.append(tab.evaluate("window.painted") / 1000)
            tab.close()
            tab, start = browser.new_page(viewport=WINDOW), time.perf_counter()
            tab.goto(f"{url}#map=z0,z1&colour=kind", wait_until="commit")
            whole.append(filled(tab, start))
            tab.close()
        row("first paint", painted, "s", FIRST_PAINT_S[count])
        row("filled", whole, "s")
        tab = browser.new_page(viewport=WINDOW)
        tab.goto(f"{url}#map=z0,z1&colour=kind")
        tab.wait_for_selector("body[data-ready=all]", timeout=120_000)
        row("frame", tab.evaluate(DRAG, few), "ms")
        row("slider to image", tab.evaluate(SLIDE, few), "ms", SLIDER_MS)
        row("lasso", [lasso(tab) for _ in range(1 if quick else 5)], "s")
        if count == POINTS[0] or quick:
            for what, path, body in (
                ("requests: 16 thumbnails", f"thumbnails?at={','.join(map(str, range(16)))}", None),
                ("requests: all points", "points?map=z0,z1", None),
                ("requests: decode one", "decode", points_of(1).tobytes()),
            ):
                row(what, [rate(url, path, body) for _ in range(1 if quick else 5)], "a second")
        row("memory", [anonymous_mb(server.pid)], "MB", MEMORY_MB)
        tab.close()
    return rows


def lasso(tab: Any) -> float:
    """Seconds from the release of a half of the map until it is told and painted."""
    box = tab.locator("#map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.keyboard.press("Escape")
    tab.wait_for_timeout(500)
    tab.evaluate(NOTE_LASSO)
    tab.keyboard.press("l")
    tab.mouse.move(x, y - 300)
    tab.mouse.down()
    for step in np.linspace(-np.pi / 2, np.pi / 2, 40):
        tab.mouse.move(x + 300 * np.cos(step), y + 300 * np.sin(step))
    tab.mouse.up()
    until(tab, "window.told > window.released")
    tab.keyboard.press("l")
    return tab.evaluate("(window.told - window.released) / 1000")


def rate(url: str, path: str, body: bytes | None) -> float:
    """Answers a second to four clients, each on a connection that it keeps, so shortly that none is too many."""
    time.sleep(WAIT_S)
    seconds = 0.5
    home, token = url.removeprefix("http://").split("/?token=")
    end, counts = time.perf_counter() + seconds, [0] * 4

    def client(k: int) -> None:
        opened = http.client.HTTPConnection(home, timeout=30)
        while time.perf_counter() < end:
            opened.request("POST" if body else "GET", f"/run/0/{path}", body, {"X-Vaelab-Token": token})
            answer = opened.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            counts[k] += 1

    threads = [threading.Thread(target=client, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def anonymous_mb(pid: int) -> float:
    """What a process alone holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024 / 1e6


def projector(browser: Any, python: str, count: int) -> dict[str, Any]:
    """How long it takes until so many points stand in TensorBoard's projector."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        points_of(count).tofile(place / "points.bytes")
        shape = f"tensor_shape: {count} tensor_shape: 10"
        text = f'embeddings {{ tensor_name: "points" tensor_path: "points.bytes" {shape} }}'
        (place / "projector_config.pbtxt").write_text(text)
        flags = ["--logdir", ".", "--port", str(port), "--host", "127.0.0.1", "--reload_interval", "0"]
        with running([python, "-m", "tensorboard.main", *flags], place):
            for _ in range(600):
                with socket.socket() as asked:
                    if not asked.connect_ex(("127.0.0.1", port)):
                        break
                time.sleep(0.1)
            tab, start = browser.new_page(viewport=WINDOW), time.perf_counter()
            tab.goto(f"http://127.0.0.1:{port}/#projector", wait_until="commit")
            seconds = filled(tab, start)
            tab.close()
    row = {"contestant": "projector", "points": count, "what": "filled", "median": round(seconds, 3), "95 %": None}
    print(row, flush=True)
    return row | {"unit": "s", "aim": None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10,000 points and few rounds, not kept")
    parser.add_argument("--projector", metavar="PYTHON", help="with tensorboard; left out, no rival")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="the browser")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve is not None:
        return serve(given.serve, given.folder) if given.serve else train(given.folder)
    from playwright.sync_api import sync_playwright

    rows = list[dict[str, Any]]()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "benchmarks.explorer", "--serve", "0", "--folder", folder], check=True)
        browser = playwright.chromium.launch(executable_path=given.chromium, args=list(FLAGS))
        for count in POINTS[: 1 if given.quick else None]:
            rows += ours(browser, count, Path(folder), given.quick)
            if given.projector and count <= MOST_OF_PROJECTOR:
                rows.append(projector(browser, os.path.abspath(given.projector), count))
        browser.close()
    ledger.show("The explorer, and the projector", rows)
    ledger.keep("explorer", rows, quick=given.quick)
    return None


if __name__ == "__main__":
    main()
