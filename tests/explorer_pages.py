"""The explorer's page in a real browser, and what it has to show."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image


def opened(tab, explorer, state=""):
    tab.goto(f"{explorer.url}#{state}")
    tab.wait_for_selector("body[data-ready=all]", timeout=60_000)


def picture(tab, selector, k=0) -> np.ndarray:
    """(height, width, 4): what the canvas shows, the k-th of those that fit."""
    return from_url(tab.locator(selector).nth(k).evaluate("canvas => canvas.toDataURL()"))


def from_url(url: str) -> np.ndarray:
    """(height, width, 4): the pixels of a PNG in an address; as a list of numbers they would take seconds."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA"))


def composed(view, image, ends) -> np.ndarray:
    """(height, width, 3): an image between its channels' ends in their colours, the brighter one winning."""
    from vaelab.plots import channel_colours

    colours = np.rint(channel_colours(view.run.channels) * 255)
    found = np.zeros((*image.shape[1:], 3))
    for values, colour, (lo, hi) in zip(image.astype(np.float64), colours, ends, strict=True):
        share = np.clip((values - lo) / (hi - lo), 0, 1)
        found = np.maximum(found, np.rint(share[..., None] * colour))
    return found.astype(np.uint8)


ENDS = [(2570, 51400), (0, 60000), (5140, 64250)]
CHANNELS = "0_" + "_".join(
    f"1~{colour}~{lo}~{hi}" for colour, (lo, hi) in zip(("527aff", "ff453d", "3ddb52"), ENDS, strict=True)
)
