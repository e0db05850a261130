"""Makes the pictures of the explorer: ``python docs/make_explorer_pictures.py [RUN]``, with playwright and a Chromium.

Synthetic cells are learnt in some minutes, unless RUN is a run that was trained so before; what makes a cell a redder
one is explained, and the page is photographed.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Page, sync_playwright

import vaelab
from vaelab.cli import main as command
from vaelab.data.sources.cells_synthetic import CellsSyntheticSource
from vaelab.explorer import Explorer
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.runs.columns import keep_column

FOLDER = Path(__file__).parent / "images"
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
NUM_IMAGES, SIZE, NUM_LATENTS, NUM_EPOCHS = 2400, 48, 4, 20
MOST_BYTES = 300_000


def trained(folder: Path) -> vaelab.Run:
    """Fewer and smaller synthetic cells than the preset's, with few latents and the default networks."""
    preset = vaelab.presets.cells_synthetic()
    data = replace(preset.data, source=CellsSyntheticSource(num_images=NUM_IMAGES, size=SIZE))
    model = replace(preset.model, latent_dim=NUM_LATENTS, encoder=ConvEncoder(), decoder=ConvDecoder())
    training = replace(preset.training, num_epochs=NUM_EPOCHS, learning_rate=1e-3, schedule="cosine")
    return vaelab.train(replace(preset, data=data, model=model, training=training), folder)


def explained(run: vaelab.Run) -> np.ndarray:
    """Has redder cells and the latents explained, unless that was done before; the rows of the images of which it was.

    Which cells are redder is a column that is kept with the run, as the explorer keeps a selection.
    """
    series = run.folder / "explanations" / "redder-yes" / "series.npz"
    if not series.exists():
        table = run.dataset.collection.table
        redder = pd.Series(np.where(table["red"] > table["green"], "yes", "no"))
        keep_column(run.folder, "redder", np.arange(len(table)), redder)
        few = ["--num-images", "6", "--num-targets", "8", "--quiet"]
        command(["explain", str(run.folder), "--label", "redder", "--to", "yes", *few])
        command(["explain", str(run.folder), "--latents", "--label", "redder", "--num-images", "200", "--quiet"])
    return np.load(series)["rows"]


@contextmanager
def pages(explorer: Explorer) -> Iterator[Any]:
    """Opens the page with a state in the address."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)

        def opened(state: str, height: int = 900) -> Page:
            page = browser.new_page(viewport={"width": 1440, "height": height})
            page.goto(f"{explorer.url}#{state}")
            page.wait_for_selector("body[data-ready=all]", timeout=120_000)
            page.wait_for_timeout(4000)  # thumbnails and strips come one after another
            return page

        yield opened
        browser.close()


def main() -> None:
    """Writes ``docs/images/explorer*.png``."""
    with tempfile.TemporaryDirectory() as place:
        run = vaelab.load(sys.argv[1]) if len(sys.argv) > 1 else trained(Path(place) / "cells-synthetic")
        rows = explained(run)
        run = vaelab.load(run.folder)  # which knows the column that was kept
        z = vaelab.embed(run, rows).loc
        row = rows[np.square(z - vaelab.embed(run).loc.mean(0)).sum(1).argmin()]
        explorer = vaelab.explore(run, on="all", port=0)
        with pages(explorer) as opened:
            page = opened(f"colour=redder&pin={row}&view=0,-0.3,1.1~PCA")
            save("explorer", page.screenshot())
            page = opened(f"colour=redder&pin={row}", 2600)
            save("explorer_explained", page.locator("#explained").screenshot())
            page = opened("colour=x&thumbnails=off")
            page.locator("#query").fill("x > 0.7 and y > 0.5")
            page.locator("#query").press("Enter")
            page.get_by_role("button", name="Compare", exact=True).click()
            page.wait_for_selector("dialog.compared", timeout=120_000)
            page.wait_for_timeout(1000)
            save("explorer_compared", page.screenshot())
        explorer.stop()


def save(name: str, picture: bytes) -> None:
    """Writes one picture, as small as it goes without a loss."""
    path = FOLDER / f"{name}.png"
    Image.open(io.BytesIO(picture)).convert("RGB").save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES, path


if __name__ == "__main__":
    main()
