"""Which pixels matter to a classifier."""

from __future__ import annotations

import numpy as np

from vaelab.plots import Row, Tile
from vaelab.report.look import Look
from vaelab.report.parts import Arrays
from vaelab.report.parts._explained import SIDE, ExplainedPart
from vaelab.report.pictures import tile

NUM_IMAGES = 8


class SaliencyMaps(ExplainedPart):
    """How much each pixel of explained images matters to the classifier, by several ways, all channels together.

    Of the explanation that was made last.
    """

    order = 61
    title = "Which pixels matter"
    words = "White is the most in a map; each map has a scale of its own."

    def chosen(self, found: Arrays) -> Arrays:
        """See ExplainedPart.

        Returns:
            rows: (image,), in the collection.
            images: (image, channel, height, width).
            saliencies: (saliency,): their names.
            maps: (saliency, image, channel, height, width), 0 or more.
        """
        names = [name for name in found if name.startswith("saliency/")]
        return {name: found[name][:NUM_IMAGES] for name in ("rows", "images")} | {
            "saliencies": np.array([name.removeprefix("saliency/") for name in names]),
            "maps": np.stack([found[name][:NUM_IMAGES] for name in names]),
        }

    def rows(self, look: Look, arrays: Arrays) -> list[Row]:
        """See ExplainedPart."""
        words = [f"#{row}" for row in arrays["rows"].tolist()]
        images = [tile(look, x, said, side=SIDE) for x, said in zip(arrays["images"], words, strict=True)]
        rows: list[Row] = [("image", images)]
        for name, maps in zip(arrays["saliencies"].tolist(), arrays["maps"], strict=True):
            rows.append((name.replace("_", " "), [Tile(grey(each.sum(0), images[0].pixels.shape[0])) for each in maps]))
        return rows


def grey(values: np.ndarray, side: int) -> np.ndarray:
    """(height, width, 3) uint8: a map from black to white, enlarged to about so many pixels."""
    scale = max(1, side // values.shape[0])
    levels = (255 * values / max(float(values.max()), 1e-12)).astype(np.uint8)
    return levels.repeat(scale, 0).repeat(scale, 1)[:, :, None].repeat(3, -1)
