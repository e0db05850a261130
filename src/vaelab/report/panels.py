"""Panels that only some runs have: both stages, other conditions, components of the prior."""

from __future__ import annotations

import numpy as np

from vaelab.metrics import Score
from vaelab.report.display import GAP, PAGE, draw, grid, scroll
from vaelab.report.evidence import Evidence, Swaps
from vaelab.report.html import Cell, Markup, heading, paragraph, picture, table
from vaelab.report.names import title_of
from vaelab.report.words import ceiling_of, interval_of, number, plural, value_of

SIDE, LARGEST = 58, 96
"""CSS pixels, about, of one image among a component's samples, and at most of one under several conditions."""


def stages(evidence: Evidence) -> str:
    """Both stages' measures of the same images, side by side; nothing for a model of one stage."""
    if evidence.first is None:
        return ""
    both = (evidence.first.scores, evidence.measures.scores)
    several = len(evidence.channels) > 1
    wanted = ["rate", "active_units", "mutual_information", "mse"]
    wanted += [f"mse/{name}" for name in evidence.channels if several]
    rows = [
        [_measure_name(name), *((_with_interval(name, scores[name]), "n") for scores in both)]
        for name in wanted
        if all(name in scores for scores in both)
    ]
    dims = [measures.embedding.latent_dim for measures in evidence.stages.values()]
    columns = zip(evidence.stages, dims, strict=True)
    head = ["Measure", *((f"{stage.capitalize()}, {plural(dim, 'latent')}", "n") for stage, dim in columns)]
    words = (
        "Small: 95 % interval. Rate and mutual information in nats per image; the rate is an upper bound of the mutual "
        "information of image and code, and the value given for it a lower bound."
    )
    listed = table(head, rows, caption="Measures of both stages on held-out images", kind="errors")
    return heading("Both stages, on the same images") + listed + paragraph(words, "note")


def other_conditions(evidence: Evidence) -> str:
    """Images and samples under each category of a condition; nothing where there is none."""
    swaps = evidence.swaps
    if swaps is None:
        return ""
    words = (
        f"Each image is encoded under its own {swaps.column} (framed), and its code decoded under every one. What "
        "changes along a row is what the model attributes to the condition; what stays is in the code."
    )
    if len(swaps.categories) < swaps.total:
        words += f" Shown are the {len(swaps.categories)} most frequent of {swaps.total:,} categories."
    images = [
        [_shown(evidence, image, "Original", _side(swaps)), *_cells(evidence, swaps, row, own)]
        for image, row, own in zip(swaps.originals, swaps.images, swaps.own, strict=True)
    ]
    new = [[f"Code {i + 1}", *_cells(evidence, swaps, row, None)] for i, row in enumerate(swaps.samples)]
    caption = f"The same image under every {swaps.column}"
    return (
        heading("The same image under another condition")
        + paragraph(words, "note")
        + table(["Original", *swaps.categories], images, caption=caption, kind="swaps")
        + heading("New images under each condition")
        + paragraph(f"Each row is one code drawn from the prior, decoded under every {swaps.column}.", "note")
        + table(["", *swaps.categories], new, caption=f"Samples under every {swaps.column}", kind="swaps")
    )


def components(evidence: Evidence) -> str:
    """Samples of each component of a mixture prior, in rows; nothing for another prior."""
    parts = evidence.components
    if parts is None:
        return ""
    rows = []
    for which, weight, count, samples in zip(parts.numbers, parts.weights, parts.counts, parts.samples, strict=True):
        drawn, scale = draw(evidence, samples, SIDE)
        alt = f"Samples of component {which}."
        strip = picture(grid(drawn, len(drawn), scale), alt=alt, scale=scale, kind="strip")
        words = f"{number(100 * float(weight), digits=2)} %, {plural(int(count), 'image')}"
        name = f'<div class="walk-name"><b>Component {which}</b> <span>{words}</span></div>'
        rows.append(f'<div class="walk component">{name}{scroll(f"<div class=fit>{strip}</div>", alt)}</div>')
    hidden = parts.total - len(parts.numbers)
    under = f" All under {evidence.held_condition}." if evidence.held_condition else ""
    words = (
        "Each row shows samples of one Gaussian of the prior, the heaviest first. Beside it: its weight, which is its "
        f"probability, and how many held-out images have a code that it explains best.{under}"
    )
    rest = paragraph(f"{plural(hidden, 'lighter component')} not shown.", "note") if hidden > 0 else ""
    return heading("Each component of the prior") + paragraph(words, "note") + "".join(rows) + rest


def _cells(evidence: Evidence, swaps: Swaps, row: np.ndarray, own: str | None) -> list[Cell]:
    """One code under every category, that of the image itself framed."""
    return [
        (_shown(evidence, image, f"Under {swaps.column} {category}", _side(swaps)), "own" if category == own else "")
        for image, category in zip(row, swaps.categories, strict=True)
    ]


def _side(swaps: Swaps) -> int:
    """CSS pixels, about, of one image, so that a row fits the page."""
    return min(LARGEST, PAGE // (len(swaps.categories) + 1) - 2 * GAP)


def _shown(evidence: Evidence, image: np.ndarray, alt: str, side: int) -> Markup:
    drawn, scale = draw(evidence, image[None], side)
    return Markup(picture(drawn[0], alt=f"{alt}.", scale=scale, kind="cell"))


def _measure_name(name: str) -> str:
    measure, _, channel = name.partition("/")
    return title_of(measure) + (f", {channel}" if channel else "")


def _with_interval(name: str, score: Score) -> Markup:
    most = f"at most {ceiling_of(score)}" if name == "mutual_information" else ""
    return Markup(f"<b>{value_of(score)}</b><small>{'; '.join(filter(None, (interval_of(score), most)))}</small>")
