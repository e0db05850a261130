"""Images, and what is drawn of posteriors that were found without the encoder and with it."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from vaelab.inference import STUDY, infer
from vaelab.plots import Tile, picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import strip, tile

NUM_IMAGES, SIDE = 10, 96
"""Images, and CSS pixels, about, of one."""


class Infer(PicturePart):
    """Held-out images x, x' from a posterior of their own without the encoder, and x'' from the encoder's."""

    section = "looks"
    order = 35
    title = "Without the encoder"
    on_page = False

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            rows: (image,), in the collection.
            levels: (level,), what ``images`` holds from top to bottom.
            images: (level, image, channel, height, width).
            num_steps: (2, image): until the search of each image ended, in the study's setting and in the usual one.
        """
        places = look.shuffled[:NUM_IMAGES]
        model, x = look.run.given(look.rows[places]), look.x[places]
        found = [infer(model, x, search, seed=look.seed) for search in (STUDY, None)]
        own = [look.decode(model, each.loc) for each in found]
        return {
            "rows": look.rows[places],
            "levels": np.array(["x", "x' as in the study (SGD)", "x' (Adam)", "x'' by the encoder"]),
            "images": np.stack([x.numpy(), *own, look.reconstruct(places)]),
            "num_steps": np.stack([each.num_steps for each in found]),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return strips(look, arrays)

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        return picture_png(sheet(levels(look, arrays), title=self.title))


def strips(look: Look, arrays: Arrays) -> Markup:
    """Each level of images in a strip below its name."""
    rows = [
        (level, strip(look, images, SIDE))
        for level, images in zip(arrays["levels"].tolist(), arrays["images"], strict=True)
    ]
    return html(
        """{% for level, shown in rows %}<h4>{{ level }}</h4>{{ strip(shown, level ~ ".") }}{% endfor %}""", rows=rows
    )


def levels(look: Look, arrays: Arrays) -> list[tuple[str, list[Tile]]]:
    """Rows of a sheet: a name, and its images, with their numbers above the first."""
    words = [f"#{row}" for row in arrays["rows"]]
    return [
        (name, [tile(look, x, said if i == 0 else "", side=SIDE) for x, said in zip(images, words, strict=True)])
        for i, (name, images) in enumerate(zip(arrays["levels"].tolist(), arrays["images"], strict=True))
    ]
