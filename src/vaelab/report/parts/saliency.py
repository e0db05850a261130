"""Which pixels matter to a classifier."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from vaelab.plots import Row, Tile, picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.parts.exaggeration import EXPLAINED, SIDE, kept
from vaelab.report.pictures import Picture, tile

NUM_IMAGES = 8
_WORDS = "White is the most in a map; each map has a scale of its own."


class SaliencyMaps(PicturePart):
    """How much each pixel of explained images matters to the classifier, by several ways, all channels together.

    Of the explanation that was made last.
    """

    section = "looks"
    order = 61
    title = "Which pixels matter"
    on_page = False
    only_for = EXPLAINED

    def applies(self, look: Look) -> bool:
        """See Part."""
        return kept(look) is not None

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            rows: (image,), in the collection.
            images: (image, channel, height, width).
            saliencies: (saliency,): their names.
            maps: (saliency, image, channel, height, width), 0 or more.
        """
        found = kept(look)
        assert found is not None
        names = [name for name in found if name.startswith("saliency/")]
        return {name: found[name][:NUM_IMAGES] for name in ("rows", "images")} | {
            "saliencies": np.array([name.removeprefix("saliency/") for name in names]),
            "maps": np.stack([found[name][:NUM_IMAGES] for name in names]),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        drawn = Picture(sheet(_rows(look, arrays)), 1)
        return html("""{{ note(words) }}{{ strip(drawn, words) }}""", drawn=drawn, words=_WORDS)

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        return picture_png(sheet(_rows(look, arrays), title=self.title, note=_WORDS))


def _rows(look: Look, arrays: Arrays) -> list[Row]:
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
