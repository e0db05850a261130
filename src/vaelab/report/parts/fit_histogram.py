"""How well each image is fitted."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.metrics.fit import BAD_FIT
from vaelab.plots import fit_histogram, png
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.words import MINUS, plural

BELOW = f"{MINUS}{-BAD_FIT:g}"


class FitHistogram(PicturePart):
    """The fit of every image."""

    section = "odd"
    order = 10

    def compute(self, look: Look) -> Arrays:
        """See Part."""
        return {"rows": look.rows, "fits": look.fits}

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        finite, bad = _finite_and_bad(arrays)
        broken = len(arrays["fits"]) - len(finite)
        return html(
            """<p class="lead">An image's fit says how far its distortion lies from that of the typical image, in robust
            standard deviations; below {{ below }} it is reconstructed badly. That holds for {{ bad }} of
            {{ count }}.</p>
            {{ chart(figure, "Histogram of the fit of " ~ count ~ ".", "Fit of " ~ held_out, unseen) }}
            {{ note("A badly fitted image may be rare, damaged, or simply full of detail: look before you leave it out."
            " Below each pair stand the image's row in the collection and its fit; per_image.csv in the"
            " run's results/ has every image.") }}""",
            below=BELOW, bad=f"{bad:,}", count=plural(len(finite), "image"), figure=_figure(arrays),
            held_out=plural(len(finite), "held-out image"),
            unseen=f"{plural(broken, 'image')} without a finite value not drawn" if broken else "",
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        return png(_figure(arrays), title=f"Fit of {plural(len(arrays['fits']), 'held-out image')}")


def _figure(arrays: Arrays) -> Figure:
    finite, bad = _finite_and_bad(arrays)
    return fit_histogram(
        finite, label="fit (higher is better)", marks={f"{bad:,} below {BELOW}": BAD_FIT, "typical": 0.0}
    )


def _finite_and_bad(arrays: Arrays) -> tuple[np.ndarray, int]:
    finite = arrays["fits"][np.isfinite(arrays["fits"])]
    return finite, int((finite < BAD_FIT).sum())
