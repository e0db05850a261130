"""What varies? The latents one by one, and the images in the plane of the code."""

from __future__ import annotations

from html import escape

import numpy as np

from vaelab.plots import Classes, atlas, class_panel, latent_scatter, rate_bars
from vaelab.report.display import draw, grid, scroll
from vaelab.report.evidence import Evidence
from vaelab.report.html import Markup, chart, fold, heading, paragraph, picture, section, table
from vaelab.report.words import plural

OPEN_LATENTS = 12
"""How many latents are traversed in plain view, and channel by channel; the next ones are folded away."""
STEP_SIDE, ATLAS_SIDE = 58, 32
"""CSS pixels, about, of one image in a traversal, and in the plane."""
WIDE_FROM = 18
"""Latents above which their bars take the whole width."""


def what_varies(evidence: Evidence) -> str:
    """The section with rates, traversals and the plane."""
    lead = "A latent of rate 0 carries nothing, and moving it changes nothing."
    return section("varies", "What varies?", lead, _rates(evidence), _walks(evidence), _plane(evidence))


def _rates(evidence: Evidence) -> str:
    rates = evidence.measures.latent_rates
    if rates is None:
        return paragraph("Prior or posterior doesn't factorise, so the rate cannot be told apart by latent.", "note")
    title = f"{int(evidence.active.sum())} of {plural(evidence.latent_dim, 'latent')} active"
    wide = evidence.latent_dim > WIDE_FROM
    sheet = rate_bars(rates, evidence.active, width=880 if wide else max(300, 150 + 20 * evidence.latent_dim))
    alt = "The rate of every latent in nats per image, largest first."
    words = (
        "Blue: active, which means that its posterior mean varies over images (variance above 0.01). Grey: not active."
    )
    drawn = chart(sheet, alt=alt, title=title, note="largest first", kind="wide" if wide else "")
    return heading("What each latent carries") + drawn + paragraph(words, "note")


def _walks(evidence: Evidence) -> str:
    walks = evidence.walks
    words = (
        f"Each row moves one latent in {walks.values.shape[1]} even steps across the central {walks.coverage:.0%} of "
        "where held-out images lie on it (the aggregate posterior), the other latents held at their means. The "
        f"latents that {'vary' if evidence.measures.latent_rates is None else 'carry'} most come first."
    )
    if evidence.held_condition:
        words += (
            f" All are decoded under one condition, {evidence.held_condition}: the training images' most frequent "
            "categories and mean numbers."
        )
    count = len(walks.latents)
    parts = [
        heading("One latent at a time"),
        paragraph(words, "note"),
        *(_walk(evidence, i) for i in range(min(count, OPEN_LATENTS))),
    ]
    if count > OPEN_LATENTS:
        rest = "".join(_walk(evidence, i) for i in range(OPEN_LATENTS, count))
        parts.append(
            fold(
                f"{plural(count - OPEN_LATENTS, 'more latent')} that "
                f"{'carries' if count - OPEN_LATENTS == 1 else 'carry'} less",
                rest,
            )
        )
    if hidden := evidence.latent_dim - count:
        parts.append(paragraph(f"{plural(hidden, 'latent')} that carry still less not shown.", "note"))
    if len(evidence.channels) > 1:
        parts.append(_by_channel(evidence))
    return "".join(parts)


def _walk(evidence: Evidence, i: int, channel: int | None = None) -> str:
    """One latent's row, in colour or in one channel."""
    walks, rates = evidence.walks, evidence.measures.latent_rates
    latent = int(walks.latents[i])
    drawn, scale = draw(evidence, walks.images[i], STEP_SIDE, channel)
    low, high = (f"{v:+.2f}".replace("-", "\N{MINUS SIGN}") for v in walks.values[i][[0, -1]])
    inside = "" if channel is None else f", channel {evidence.channels[channel]}"
    alt = f"Latent z{latent} from {low} to {high}{inside}."
    strip = picture(grid(drawn, len(drawn), scale), alt=alt, scale=scale, kind="strip")
    if channel is None:
        quiet = "" if evidence.active[latent] else ", not active"
        name = f"<b>z{latent}</b> <span>{'' if rates is None else f'{rates[latent]:.2f} nats'}{quiet}</span>"
        strip += f'<div class="ends"><span>{low}</span><span>{high}</span></div>'
    else:
        name = f"<span>{escape(evidence.channels[channel])}</span>"
    return f'<div class="walk"><div class="walk-name">{name}</div>{scroll(f"<div class=fit>{strip}</div>", alt)}</div>'


def _by_channel(evidence: Evidence) -> str:
    """How far each latent moves each channel, in numbers and in pictures."""
    change = evidence.walks.channel_change()
    top = max(float(change.max()), 1e-9)
    rows = [
        [f"z{latent}", *((Markup(f'<span style="--share:{v / top:.2f}">{v:.3f}</span>'), "n bar") for v in moved)]
        for latent, moved in zip(evidence.walks.latents, change, strict=True)
    ]
    words = (
        "How far each latent moves each channel on its walk: largest minus smallest value of a pixel, averaged over "
        "pixels; 1 is the whole intensity range."
    )
    head = ["Latent", *((name, "n") for name in evidence.channels)]
    numbers = table(head, rows[:OPEN_LATENTS], caption=words, kind="moves")
    if len(rows) > OPEN_LATENTS:
        more = table(head, rows[OPEN_LATENTS:], caption=f"{words} The other latents.", kind="moves")
        numbers += fold(f"{plural(len(rows) - OPEN_LATENTS, 'more latent')}", more)
    count = min(len(rows), OPEN_LATENTS)
    walks = "".join(
        f"<h4>z{evidence.walks.latents[i]}</h4>" + "".join(_walk(evidence, i, c) for c in range(len(evidence.channels)))
        for i in range(count)
    )
    pictures = fold(f"{plural(count, 'latent')}, channel by channel", walks)
    return heading("Which latent moves which channel") + numbers + paragraph(words, "note") + pictures


def _plane(evidence: Evidence) -> str:
    plane, labels = evidence.plane, evidence.plane.labels
    count = plural(len(plane.points), "held-out image")
    by = f", coloured by {plane.label_name}" if plane.label_name else ""
    sheet = latent_scatter(plane.points, labels, axes=plane.axes, label_name=plane.label_name)
    dots = chart(sheet, alt=f"{count} in the plane of {plane.axes[0]} and {plane.axes[1]}{by}.", title=f"{count}{by}")
    drawn, scale = draw(evidence, plane.images, ATLAS_SIDE)
    places = picture(
        atlas(plane.points, drawn), alt="The same plane with held-out images in their places.", scale=scale, kind="map"
    )
    pictures = f'<div class="chart"><p class="cap"><b>The same square of the plane, in images</b></p>{places}</div>'
    words = (
        "In the right picture each cell shows the held-out image nearest its middle; cells without images are empty."
    )
    legend = _legend(plane.points, labels) if isinstance(labels, Classes) else ""
    planes = f'<div class="planes">{dots}{pictures}</div>{legend}'
    return heading("All images in one plane") + paragraph(plane.how, "note") + planes + paragraph(words, "note")


def _legend(points: np.ndarray, classes: Classes) -> str:
    """One small panel per class: its points before all others."""
    panels = []
    for code, name in enumerate(classes.names):
        own = int((classes.codes == code).sum())
        alt = f"Where {name} lies: {plural(own, 'image')}."
        panels.append(chart(class_panel(points, classes, code), alt=alt, title=name, note=f"{own:,}"))
    return f'<div class="panels">{"".join(panels)}</div>'
