"""What lies between one image and others."""

from __future__ import annotations

import numpy as np
import torch
from markupsafe import Markup

from vaelab.inference import interpolation_grid, one_of_every_other_class
from vaelab.plots import Classes, picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import strip, tile
from vaelab.report.table import label_column, labels_of

NUM_STEPS, MOST_ROWS, SIDE = 9, 9, 80
"""Decoded images between each pair, pairs, and CSS pixels, about, of one image."""


class Interpolation(PicturePart):
    """One held-out image against one of every other class, with what is decoded along the straight line between."""

    section = "varies"
    order = 36
    title = "From one image to others"
    only_for = "a model without conditions, and two or more measured images"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return len(look.rows) > 1 and not look.conditions

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            rows: (pair, 2), in the collection: the anchor, and the image on the right.
            weights: (step,), of the anchor's code, from 1 to 0.
            ends: (pair, 2, channel, height, width): the images themselves.
            images: (pair, step, channel, height, width): decoded along the way.
        """
        count = max(1, min(MOST_ROWS, look.affords(MOST_ROWS * NUM_STEPS, 0.1, NUM_STEPS) // NUM_STEPS))
        anchor, *others = look.shuffled.tolist()
        if name := label_column(look.table):
            labels = labels_of(look.table[name].iloc[look.shuffled])
            if isinstance(labels, Classes) and (labels.codes != labels.codes[0]).any():
                others = look.shuffled[one_of_every_other_class(labels.codes, 0)].tolist()
        right = np.array(others[:count])
        left, ends = look.originals(np.array([anchor])), look.originals(right)
        between = interpolation_grid(look.run.model, torch.from_numpy(left), torch.from_numpy(ends), NUM_STEPS)
        return {
            "rows": np.stack([np.full(len(right), look.rows[anchor]), look.rows[right]], axis=1),
            "weights": between.weights,
            "ends": np.stack([np.repeat(left, len(right), axis=0), ends], axis=1),
            "images": between.images,
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        rows = [
            (int(rows[1]), strip(look, np.concatenate([ends[:1], images, ends[1:]]), SIDE))
            for rows, ends, images in zip(arrays["rows"], arrays["ends"], arrays["images"], strict=True)
        ]
        return html(
            """{{ note("On the left image " ~ anchor ~ " itself, on the right another, and between them what is decoded"
            " at z = w z(left) + (1 - w) z(right), w from 1 to 0; the first and the last of these are the"
            " reconstructions.") }}
            {% for row, shown in rows %}
            {{ strip(shown, "From image " ~ anchor ~ " to image " ~ row ~ ".") }}
            {% endfor %}""",
            anchor=int(arrays["rows"][0, 0]), rows=rows,
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        names = ["image", *(f"w = {weight:.2f}" for weight in arrays["weights"]), "image"]
        rows = []
        for i, (ends, images) in enumerate(zip(arrays["ends"], arrays["images"], strict=True)):
            shown = [ends[0], *images, ends[1]]
            words = names if i == 0 else [""] * len(names)
            rows.append((f"to #{arrays['rows'][i, 1]}", [tile(look, x, w) for x, w in zip(shown, words, strict=True)]))
        return picture_png(sheet(rows, title=f"From image #{arrays['rows'][0, 0]} to others"))
