"""The images that are fitted best."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from vaelab.report.look import Look
from vaelab.report.pairs import num_pairs, pair_sheet, pair_tiles, pairs
from vaelab.report.parts import Arrays, PicturePart


class Best(PicturePart):
    """The best-fitted images above their reconstructions."""

    section = "odd"
    order = 30
    title = "Fitted best"

    def compute(self, look: Look) -> Arrays:
        """See `pairs`."""
        return pairs(look, np.argsort(look.fits, kind="stable")[::-1][: num_pairs(look, 1)])

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return pair_tiles(look, arrays, "The best-fitted images above their reconstructions", fits=True)

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        return pair_sheet(look, arrays, self.title, fits=True)
