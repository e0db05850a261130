"""Images as a classifier would have them step by step more of a class."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from vaelab.plots import Row, picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import Picture, tile
from vaelab.runs.explaining import read_series

NUM_IMAGES, SIDE = 4, 72
"""Images, and CSS pixels, about, of one."""
EXPLAINED = "runs that were explained: vaelab explain RUN --label COLUMN --to CLASS"
_WORDS = "From the left: the image, its reconstruction, and the steps. Above each, what the classifier says of it."


class ExaggerationSeries(PicturePart):
    """Images, their reconstructions, and series in which the classifier says step by step more of a class, by method.

    Of the explanation that was made last.
    """

    section = "looks"
    order = 55
    title = "As the classifier would have it"
    on_page = False
    only_for = EXPLAINED

    def applies(self, look: Look) -> bool:
        """See Part."""
        return kept(look) is not None

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            rows: (image,), in the collection.
            methods: (method,).
            targets: (image, target): what f was wanted to be.
            images, reconstructions: (image, channel, height, width).
            said, said_of_reconstructions: (image,): f of these.
            series: (method, image, target, channel, height, width).
            series_said: (method, image, target).
        """
        found = kept(look)
        assert found is not None
        methods = [name.removesuffix("/said") for name in found if name.endswith("/said")]
        own = ("rows", "targets", "images", "reconstructions", "said", "said_of_reconstructions")
        return {name: found[name][:NUM_IMAGES] for name in own} | {
            "methods": np.array(methods),
            "series": np.stack([found[f"{name}/images"][:NUM_IMAGES] for name in methods]),
            "series_said": np.stack([found[f"{name}/said"][:NUM_IMAGES] for name in methods]),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        drawn = Picture(sheet(_rows(look, arrays), gap=3), 1)
        return html("""{{ note(words) }}{{ strip(drawn, words) }}""", drawn=drawn, words=_WORDS)

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        return picture_png(sheet(_rows(look, arrays), title=self.title, note=_WORDS, gap=3))


def kept(look: Look) -> dict[str, np.ndarray] | None:
    """What was explained last, read once."""
    return look.once("explained", lambda: read_series(look.run))


def _rows(look: Look, arrays: Arrays) -> list[Row]:
    rows = []
    for i, row in enumerate(arrays["rows"].tolist()):
        first = [(arrays["images"][i], arrays["said"][i])]
        first.append((arrays["reconstructions"][i], arrays["said_of_reconstructions"][i]))
        for j, method in enumerate(arrays["methods"].tolist()):
            steps = zip(arrays["series"][j, i], arrays["series_said"][j, i], strict=True)
            tiles = [tile(look, x, f"{said:.2f}", side=SIDE) for x, said in (*first, *steps)]
            rows.append((f"#{row}\n{method.replace('_', ' ')}", tiles))
    return rows
