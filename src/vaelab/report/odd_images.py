"""Which images are odd? How well each is fitted, the worst and the best."""

from __future__ import annotations

import numpy as np

from vaelab.metrics.fit import BAD_FIT
from vaelab.plots import fit_histogram
from vaelab.report.evidence import Evidence
from vaelab.report.how_it_looks import pair_tiles
from vaelab.report.html import chart, heading, paragraph, section
from vaelab.report.words import MINUS, plural


def odd_images(evidence: Evidence) -> str:
    """The section with the fit of every image."""
    fits = evidence.per_image["fit"].to_numpy(float)
    finite = fits[np.isfinite(fits)]
    bad = int((finite < BAD_FIT).sum())
    lead = (
        "An image's fit says how far its distortion lies from that of the typical image, in robust standard "
        f"deviations; below {MINUS}{-BAD_FIT:g} it is reconstructed badly. That holds for {bad:,} of "
        f"{plural(len(finite), 'image')}."
    )
    sheet = fit_histogram(
        finite, label="fit (higher is better)", marks={f"{bad:,} below {MINUS}{-BAD_FIT:g}": BAD_FIT, "typical": 0.0}
    )
    title = f"Fit of {plural(len(finite), 'held-out image')}"
    broken = len(fits) - len(finite)
    note = f"{plural(broken, 'image')} without a finite value not drawn" if broken else ""
    words = (
        "A badly fitted image may be rare, damaged, or simply full of detail: look before you leave it out. Below "
        "each pair stand the image's row in the collection and its fit; per_image.csv has every image."
    )
    worst = pair_tiles(evidence, evidence.worst, "The worst-fitted images above their reconstructions", fits=True)
    best = pair_tiles(evidence, evidence.best, "The best-fitted images above their reconstructions", fits=True)
    return section(
        "odd",
        "Which images are odd?",
        lead,
        chart(sheet, alt=f"Histogram of the fit of {plural(len(finite), 'image')}.", title=title, note=note),
        paragraph(words, "note"),
        heading("Fitted worst"),
        worst,
        heading("Fitted best"),
        best,
    )
