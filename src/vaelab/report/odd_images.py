"""Which images are odd? How well each is fitted, the worst and the best."""

from __future__ import annotations

import numpy as np

from vaelab.plots import fit_histogram
from vaelab.report.evidence import Evidence
from vaelab.report.html import chart, heading, paragraph, section
from vaelab.report.how_it_looks import pair_tiles
from vaelab.report.words import plural


def odd_images(evidence: Evidence) -> str:
    """The section with the fit of every image."""
    values = evidence.per_image[evidence.fit_name].to_numpy(float)
    finite = values[np.isfinite(values)]
    name = evidence.fit_name.replace("_", " ")
    name = "ELBO" if name == "elbo" else name
    marks = {"median": float(np.median(finite)), "worst 5 %": float(np.quantile(finite, 0.05 if evidence.fit_higher else 0.95))}
    sheet = fit_histogram(finite, label=f"{name}, {evidence.fit_unit}", marks=marks)
    better = "higher" if evidence.fit_higher else "lower"
    lead = (
        f"Each held-out image is scored by its {name} ({better} is better fitted). A badly fitted image may be rare, damaged, "
        "or simply full of detail; look before you leave it out."
    )
    broken = len(values) - len(finite)
    note = f"{plural(broken, 'image')} without a finite value not drawn." if broken else ""
    words = f"Below each pair: the image's number in the collection, and its {name} in {evidence.fit_unit}. Every image's values are in per_image.csv."
    return section(
        "odd", "Which images are odd?", lead,
        chart(sheet, alt=f"Histogram of {name} over {plural(len(finite), 'image')}.", title=f"{name} of {plural(len(finite), 'held-out image')}", note=note),
        paragraph(words, "note"),
        heading("Fitted worst"), pair_tiles(evidence, evidence.worst, "The worst-fitted images above their reconstructions"),
        heading("Fitted best"), pair_tiles(evidence, evidence.best, "The best-fitted images above their reconstructions"),
    )  # fmt: skip
