"""The measured images in the space of three latents."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.plots import Tile, picture_png, pixels_of, sheet, space
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart


class Space(PicturePart):
    """The codes of all measured images in three latents, from three sides, coloured by a known factor."""

    section = "varies"
    order = 39
    title = "All images in space"
    only_for = "three or more latents, and a collection whose factors are known numbers"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return look.latent_dim > 2 and bool(_factors(look))

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            rows: (image,), in the collection.
            latents: (3,), which they are: those that carry most.
            points: (image, 3), their posterior means.
            factor: the name of the factor that colours them.
            values: (image,), that factor.
            inside: (image,), whether it lies in a hole of the plane of factors; nowhere without one.
        """
        latents, factor = np.sort(look.by_importance[:3]), _factors(look)[-1]
        place = look.run.experiment.data.source.hole
        known = place is not None and place.inside in look.table
        return {
            "rows": look.rows,
            "latents": latents,
            "points": look.embedding.loc[:, latents],
            "factor": np.array(factor),
            "values": look.table[factor].to_numpy(float),
            "inside": look.table[place.inside].to_numpy(bool) if known and place else np.zeros(len(look.rows), bool),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return html("""{{ note(words) }}{{ chart(figure, words) }}""", words=_words(arrays), figure=_figure(arrays))

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        return picture_png(sheet([("", [Tile(pixels_of(_figure(arrays)))])], title=self.title, note=_words(arrays)))


def _factors(look: Look) -> list[str]:
    """The known factors that are numbers."""
    names = look.run.dataset.collection.factors
    return [name for name in names if pd.api.types.is_numeric_dtype(look.table[name])]


def _figure(arrays: Arrays) -> Figure:
    first, second, third = (f"z{latent}" for latent in arrays["latents"])
    name = arrays["factor"].item()
    return space(
        arrays["points"], arrays["values"], ringed=arrays["inside"], axes=(first, second, third), value_name=name
    )


def _words(arrays: Arrays) -> str:
    ringed = " Ringed: those in the hole of the plane." * bool(arrays["inside"].any())
    return f"{len(arrays['rows']):,} held-out images by the means of their posteriors, from three sides.{ringed}"
