"""Held-out images and their reconstructions."""

from __future__ import annotations

from markupsafe import Markup

from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.pairs import num_pairs, pair_sheet, pair_tiles, pairs
from vaelab.report.parts import Arrays, PicturePart

ROWS = 3


class Reconstructions(PicturePart):
    """Random held-out images above what each stage makes of them."""

    section = "looks"
    order = 10
    title = "Held-out images and their reconstructions"

    def compute(self, look: Look) -> Arrays:
        """See `pairs`."""
        return pairs(look, look.shuffled[: num_pairs(look, ROWS)])

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        *upper, last = arrays["levels"][1:].tolist()
        if upper:
            below = (
                f"Each column: the original above, below it the {upper[0]}'s reconstruction (high fidelity), and at "
                f"the bottom the {last}'s (low fidelity)."
            )
        else:
            below = "Each pair: the original above, the reconstruction below."
        tiles = pair_tiles(look, arrays, "Held-out images above their reconstructions")
        return html(
            """{{ note(below ~ " Click or tap a picture to enlarge it.") }}{{ tiles }}""", below=below, tiles=tiles
        )

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        return pair_sheet(look, arrays, self.title)
