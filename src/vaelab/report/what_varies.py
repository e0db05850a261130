"""What varies? The latents one by one, and the images in the plane of the code."""

from __future__ import annotations

from html import escape

import numpy as np

from vaelab.plots import Classes, atlas, channel_colours, class_panel, composite, image_grid, latent_scatter, rate_bars, shrink
from vaelab.report.evidence import Evidence, Traversal
from vaelab.report.html import chart, fold, heading, paragraph, picture, section
from vaelab.report.how_it_looks import scale_for, scroll
from vaelab.report.words import plural

OPEN_LATENTS, CHANNEL_LATENTS = 12, 12
"""How many latents are traversed in plain view, and how many channel by channel; the next ones are folded away."""
STEP_SIDE, ATLAS_SIDE = 60, 32
"""CSS pixels, about, of one image in a traversal; at most, in the plane."""
WIDE_FROM = 18
"""Latents above which their bars take the whole width."""


def what_varies(evidence: Evidence) -> str:
    """The section with rates, traversals and the plane."""
    lead = "A latent that carries nothing has rate 0, and moving it changes nothing."
    return section("varies", "What varies?", lead, _rates(evidence), _traversals(evidence), _plane(evidence))


def _rates(evidence: Evidence) -> str:
    title = f"{int(evidence.active.sum())} of {plural(evidence.latent_dim, 'latent')} active"
    alt = "The rate of every latent in nats per image, largest first."
    wide = evidence.latent_dim > WIDE_FROM
    sheet = rate_bars(evidence.rates, evidence.active, width=880 if wide else max(300, 150 + 20 * evidence.latent_dim))
    words = "Blue: active, which means that its posterior mean varies over images (variance above 0.01). Grey: not active."
    drawn = chart(sheet, alt=alt, title=title, note="largest first", kind="wide" if wide else "")
    return heading("What each latent carries") + drawn + paragraph(words, "note")


def _traversals(evidence: Evidence) -> str:
    if not evidence.traversals:
        return ""
    steps = len(evidence.traversals[0].values)
    words = (
        f"Each row moves one latent in {steps} steps over the central 95 % of where held-out images lie on it (the aggregate "
        "posterior), the others held. Rows are in the order of their rate."
    )
    shown, rest = evidence.traversals[:OPEN_LATENTS], evidence.traversals[OPEN_LATENTS:]
    parts = [heading("One latent at a time"), paragraph(words, "note"), *(_traversal(evidence, one) for one in shown)]
    if rest:
        parts.append(fold(f"{plural(len(rest), 'more latent')}, of lower rate", "".join(_traversal(evidence, one) for one in rest)))
    if hidden := evidence.latent_dim - len(evidence.traversals):
        parts.append(paragraph(f"{plural(hidden, 'latent')} of still lower rate not shown.", "note"))
    if len(evidence.channels) > 1:
        parts.append(_by_channel(evidence))
    return "".join(parts)


def _traversal(evidence: Evidence, one: Traversal, channel: int | None = None) -> str:
    if channel is None:
        drawn = composite(one.images, channel_colours(evidence.channels), white=evidence.white)
        name, quiet = f"z{one.latent}", "" if evidence.active[one.latent] else ", not active"
        title = f"<b>{name}</b> <span>{evidence.rates[one.latent]:.2f} nats{quiet}</span>"
    else:
        drawn = composite(one.images[:, channel : channel + 1], channel_colours(("",)), white=evidence.white)
        name = f"z{one.latent}, {evidence.channels[channel]}"
        title = f"<span>{escape(evidence.channels[channel])}</span>"
    low, high = (f"{v:+.2f}".replace("-", "\N{MINUS SIGN}") for v in (one.values[0], one.values[-1]))
    alt = f"Latent {name} from {low} to {high}."
    strip = picture(image_grid(drawn, len(drawn)), alt=alt, scale=scale_for((1, *drawn.shape[1:3]), STEP_SIDE), kind="strip")
    ends = f'<div class="ends"><span>{low}</span><span>{high}</span></div>' if channel is None else ""
    return f'<div class="walk"><div class="walk-name">{title}</div>{scroll(f"<div class=fit>{strip}{ends}</div>", alt)}</div>'


def _by_channel(evidence: Evidence) -> str:
    walks = []
    for one in evidence.traversals[:CHANNEL_LATENTS]:
        rows = "".join(_traversal(evidence, one, channel) for channel in range(len(evidence.channels)))
        walks.append(f"<h4>z{one.latent}</h4>{rows}")
    return fold(f"Channel by channel, {plural(len(walks), 'latent')}", "".join(walks))


def _plane(evidence: Evidence) -> str:
    plane, labels = evidence.plane, evidence.plane.labels
    count = len(plane.points)
    sheet = latent_scatter(plane.points, labels, axes=plane.axes, label_name=plane.label_name)
    by = f", coloured by {plane.label_name}" if plane.label_name else ""
    alt = f"{plural(count, 'held-out image')} in the plane of {plane.axes[0]} and {plane.axes[1]}{by}."
    dots = chart(sheet, alt=alt, title=f"{plural(count, 'held-out image')}{by}")
    small, _ = shrink(plane.images, ATLAS_SIDE)
    drawn = composite(small, channel_colours(evidence.channels), white=evidence.white)
    sheet_of = atlas(plane.points, drawn)
    wide = picture(sheet_of, alt="The same plane, held-out images in their places.", scale=max(1, round(ATLAS_SIDE / max(drawn.shape[1:3]))), kind="map")
    pictures = f'<div class="chart"><p class="cap"><b>The same plane in images</b></p>{wide}</div>'
    legend = _legend(plane.points, labels) if isinstance(labels, Classes) else ""
    return (
        heading("All images in one plane") + paragraph(plane.how, "note")
        + f'<div class="planes">{dots}{pictures}</div>' + legend
        + paragraph("In the right-hand picture each cell shows the held-out image nearest its middle; empty cells hold no image.", "note")
    )  # fmt: skip


def _legend(points: np.ndarray, classes: Classes) -> str:
    """One small panel per class: its points before all others."""
    panels = []
    for code, name in enumerate(classes.names):
        own = int((classes.codes == code).sum())
        sheet = class_panel(points, classes, code)
        panels.append(chart(sheet, alt=f"Where {name} lies: {plural(own, 'image')}.", title=name, note=f"{own:,}"))
    return f'<div class="panels">{"".join(panels)}</div>'
