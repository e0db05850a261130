"""Images, and what is drawn of posteriors that were found without the encoder and with it."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from vaelab.evaluation.gaps import measure_gaps
from vaelab.inference import STUDY
from vaelab.plots import Tile, picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import strip, tile
from vaelab.report.words import differs

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
            gaps: (2, image): by how many nats the ELBO is then above the encoder's.
        """
        places = look.shuffled[:NUM_IMAGES]
        model, x = look.run.given(look.rows[places]), look.x[places]
        done = [measure_gaps(model, x, search, num_reference=100, seed=look.seed) for search in (STUDY, None)]
        found = [inferred for _, inferred in done]
        own = [look.decode(model, each.loc) for each in found]
        return {
            "rows": look.rows[places],
            "levels": np.array(["x", "x' as in the study (SGD)", "x' (Adam)", "x'' by the encoder"]),
            "images": np.stack([x.numpy(), *own, look.reconstruct(places)]),
            "num_steps": np.stack([each.num_steps for each in found]),
            "gaps": np.stack([measured.per_image["amortisation_gap"].to_numpy() for measured, _ in done]),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return strips(look, arrays)

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        return picture_png(sheet(levels(look, arrays), title=self.title))

    def says(self, arrays: Arrays) -> str:
        """See PicturePart."""
        sgd, adam = (differs(gaps) for gaps in arrays["gaps"])
        return (
            f"of {len(arrays['rows'])} images, the ELBO without the encoder is, in nats, {adam} than by the encoder "
            f"where Adam searches, which is the amortisation gap; by plain steps, as in the study, it is {sgd}."
        )


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
