"""Where in the code neighbours are those that images have."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.evaluation import local_neighbourhood
from vaelab.metrics._coranking import NUM_NEIGHBOURS
from vaelab.plots import Tile, latent_scatter, picture_png, pixels_of, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.parts.plane import project
from vaelab.report.words import number

FEWEST, BRIM = 12, 0.02
"""Images that neighbours need, and the share of the worst that are drawn alike."""
NAMES = ("trustworthiness", "continuity")


class LocalQuality(PicturePart):
    """The measured images in the plane of the code, coloured by how far each keeps its neighbours."""

    section = "varies"
    order = 41
    title = "Where neighbours can be trusted"
    on_page = False
    only_for = "12 or more measured images whose codes and pixels differ"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return len(look.rows) >= FEWEST and all(
            (each != each[0]).any() for each in (look.embedding.loc, look.x.numpy())
        )

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            rows: (image,), in the collection.
            points: (image, 2): as of `plane`.
            axes: (2,): what they are.
            names: (measure,).
            quality: (measure, image): the image's own share of each measure, at 10 neighbours; their means are the
                trustworthiness and the continuity of the whole.
        """
        points, axes, _ = project(look.embedding)
        pixels = look.originals(np.arange(len(look.rows))).reshape(len(look.rows), -1)
        quality = local_neighbourhood(look.embedding.loc, pixels)
        return {
            "rows": look.rows, "points": points, "axes": np.array(axes), "names": np.array(NAMES), "quality": quality,
        }  # fmt: skip

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        charts = [(_figure(arrays, i), _title(arrays, i)) for i in range(len(NAMES))]
        return html(
            """{{ note(how) }}<div class="planes">
            {% for figure, title in charts %}{{ chart(figure, title, title) }}{% endfor %}</div>""",
            how=HOW, charts=charts,
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        tiles = [Tile(pixels_of(_figure(arrays, i)), _title(arrays, i)) for i in range(len(NAMES))]
        return picture_png(sheet([("", tiles)], title=self.title, note=HOW.replace(". ", ".\n"), gap=32))


HOW = (
    f"Trustworthiness is low where an image's {NUM_NEIGHBOURS} nearest codes belong to images that are unlike it, "
    "continuity where the most alike images have codes that are far. Each image has its own share of the measure, of "
    f"which the whole is the mean; the worst {BRIM:.0%} are drawn alike."
)


def _title(arrays: Arrays, i: int) -> str:
    return f"{NAMES[i]}, {number(float(arrays['quality'][i].mean()), digits=3)} in the mean"


def _figure(arrays: Arrays, i: int) -> Figure:
    quality, (across, upward) = arrays["quality"][i], arrays["axes"].tolist()
    shown = np.maximum(quality, np.quantile(quality, BRIM))
    return latent_scatter(arrays["points"], shown, axes=(across, upward), label_name=f"local {NAMES[i]}")
