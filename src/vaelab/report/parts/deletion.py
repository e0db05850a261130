"""Whether a classifier turns on the pixels that saliency marks."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.plots import Tile, lines, picture_png, pixels_of, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.parts._explained import EXPLAINED, above, kept


class Deletion(PicturePart):
    """What the classifier says as the most salient pixels are replaced step by step, beside random pixels.

    Of the explanation that was made last.
    """

    section = "looks"
    order = 62
    title = "Does it turn on these pixels?"
    on_page = False
    only_for = EXPLAINED

    def applies(self, look: Look) -> bool:
        """See Part."""
        return any(name.startswith("deletion/") for name in kept(look) or ())

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            saliencies: (saliency,): their names.
            shares: (step,): of the pixels that are gone.
            accuracy, probability: (saliency, 2, step): of the whole image's class; by saliency, then at random.
            warning: The gate's; empty where it was passed.
        """
        found = kept(look)
        assert found is not None
        names = [name for name in found if name.startswith("deletion/")]
        both = np.stack([found[name] for name in names])
        return {
            "saliencies": np.array([name.removeprefix("deletion/") for name in names]),
            "shares": np.linspace(0, 1, both.shape[-1]),
            "accuracy": both[:, 0],
            "probability": both[:, 1],
            "warning": found["warning"],
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return html(
            "{% if words %}{{ note(words) }}{% endif %}{{ chart(sheet, alt) }}",
            sheet=_chart(arrays), alt=self.title, words=above(arrays),
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        return picture_png(sheet([("", [Tile(pixels_of(_chart(arrays), 2))])], title=self.title, note=above(arrays)))


def _chart(arrays: Arrays) -> Figure:
    shares, found = arrays["shares"], arrays["probability"]
    named = {
        name.replace("_", " "): np.stack([shares, curve])
        for name, curve in zip(arrays["saliencies"].tolist(), found[:, 0], strict=True)
    }
    named["random pixels"] = np.stack([shares, found[0, 1]])
    return lines(named, unit="probability of its class", across="share of pixels gone", width=520, height=320)
