"""Images as a classifier would have them step by step more of a class."""

from __future__ import annotations

import numpy as np

from vaelab.plots import Row
from vaelab.report.look import Look
from vaelab.report.parts import Arrays
from vaelab.report.parts._explained import SIDE, ExplainedPart
from vaelab.report.pictures import tile

NUM_IMAGES = 4


class ExaggerationSeries(ExplainedPart):
    """Images, their reconstructions, and series in which the classifier says step by step more of a class, by method.

    Of the explanation that was made last.
    """

    order = 55
    title = "As the classifier would have it"
    words = "From the left: the image, its reconstruction, and the steps. Above each, what the classifier says of it."
    gap = 3

    def chosen(self, found: Arrays) -> Arrays:
        """See ExplainedPart.

        Returns:
            rows: (image,), in the collection.
            methods: (method,).
            targets: (image, target): what f was wanted to be.
            images, reconstructions: (image, channel, height, width).
            said, said_of_reconstructions: (image,): f of these.
            series: (method, image, target, channel, height, width).
            series_said: (method, image, target).
        """
        methods = [name.removesuffix("/said") for name in found if name.endswith("/said")]
        own = ("rows", "targets", "images", "reconstructions", "said", "said_of_reconstructions")
        return {name: found[name][:NUM_IMAGES] for name in own} | {
            "methods": np.array(methods),
            "series": np.stack([found[f"{name}/images"][:NUM_IMAGES] for name in methods]),
            "series_said": np.stack([found[f"{name}/said"][:NUM_IMAGES] for name in methods]),
        }

    def rows(self, look: Look, arrays: Arrays) -> list[Row]:
        """See ExplainedPart."""
        rows = []
        for i, row in enumerate(arrays["rows"].tolist()):
            first = [(arrays["images"][i], arrays["said"][i])]
            first.append((arrays["reconstructions"][i], arrays["said_of_reconstructions"][i]))
            for j, method in enumerate(arrays["methods"].tolist()):
                steps = zip(arrays["series"][j, i], arrays["series_said"][j, i], strict=True)
                tiles = [tile(look, x, said_of(float(said)), side=SIDE) for x, said in (*first, *steps)]
                rows.append((f"#{row}\n{method.replace('_', ' ')}", tiles))
        return rows


def said_of(value: float) -> str:
    """What stands above a picture: a probability or a number, short.

    >>> said_of(0.5), said_of(-123.456)
    ('0.50', '-123')
    """
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.3g}"
