"""The section of a comparison that says whether codes of runs agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.plots import Dot, dot_rows
from vaelab.report.html import html
from vaelab.report.words import number, plural
from vaelab.runs.agreements import MEASURES, Pairing, SharedLatents
from vaelab.runs.compare import Comparison

MOST_LATENTS = 10
_DRAWN = ("agreement_neighbours", "agreement_unexplained")


class Agreeing(NamedTuple):
    """What the section shows."""

    images: str
    chance: str
    head: list
    rows: list[list]
    charts: list[tuple[Figure, str, str]]
    latents: list[tuple[str, str, list, list[list]]]


def agreeing(comparison: Comparison) -> Agreeing | None:
    """Tables and charts of how far codes agree; None where nothing can be said."""
    found = [pairing for pairing in comparison.pairings if not all(np.isnan(p.unexplained) for p in pairing.pairs)]
    if not found:
        return None
    pair = found[0].pairs[0]
    head = [
        "Codes of",
        "and of",
        *((html("{{ a }}<small>{{ b }}</small>", a=a, b=b), "n") for a, b, _ in MEASURES.values()),
    ]
    return Agreeing(
        images=plural(pair.count, "image"),
        chance=number(pair.chance, digits=2),
        head=head,
        rows=[list(_row(pairing)) for pairing in found],
        charts=[_chart(found, name) for name in _DRAWN],
        latents=[_latents(shared) for shared in comparison.latents],
    )


def _row(pairing: Pairing) -> Iterator[Markup | tuple[Markup, str]]:
    yield html("{{ name|code }}", name=pairing.entry)
    others = f"its other seeds ({plural(len(pairing.pairs), 'pair')})"
    yield html("{{ others }}", others=others) if pairing.among_seeds else html("{{ name|code }}", name=pairing.other)
    for measure in MEASURES:
        values = pairing.values(measure)
        values = values[np.isfinite(values)]
        below = f"{_short(values.min())} to {_short(values.max())}" if len(values) > 1 else ""
        shown = _short(values.mean()) if len(values) else "\N{EN DASH}"
        below = below if len(values) else pairing.reason
        yield html("<b>{{ v }}</b><small>{{ below }}</small>", v=shown, below=below), "n"


def _short(value: float) -> str:
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")


def _chart(found: Sequence[Pairing], measure: str) -> tuple[Figure, str, str]:
    title, unit, _ = MEASURES[measure]
    dots = []
    for pairing in found:
        values = pairing.values(measure)
        values = values[np.isfinite(values)]
        if len(values):
            name = f"{pairing.entry}: seeds" if pairing.among_seeds else f"{pairing.entry}, {pairing.other}"
            dots.append(Dot(name, float(values.mean()), points=values.tolist()))
    if measure == "agreement_neighbours":
        dots.append(Dot("chance", found[0].pairs[0].chance, kind="trivial"))
    said = "; ".join(f"{dot.name} {_short(dot.value)}" for dot in dots)
    return dot_rows(dots, label=unit), f"{title}: {said}.", title


def _latents(shared: SharedLatents) -> tuple[str, str, list, list[list]]:
    """Name, what stands below it, head and rows: the latents of the first seed, those that carry most first."""
    own, rates = shared.correlations.mean(0), None if shared.rates is None else shared.rates.mean(0)
    order = np.argsort(-(own if rates is None else rates))[:MOST_LATENTS].tolist()
    apart = np.abs(shared.entanglement) * (1 - np.eye(len(own)))
    head = ["Latent", ("Correlation with its partners", "n")]
    head += [] if rates is None else [("Rate, nats, over seeds", "n")]
    head += [("Correlates most with", "n")] if len(own) > 1 else []
    rows = []
    for i in order:
        row = [f"z{i}", (_mean(shared.correlations[:, i]), "n")]
        if shared.rates is not None:
            row.append((_mean(shared.rates[:, i]), "n"))
        if len(own) > 1:
            other = int(apart[i].argmax())
            row.append((f"z{other}: {_short(float(shared.entanglement[i, other]))}", "n"))
        rows.append(row)
    seeds = plural(len(shared.correlations) + 1, "seed")
    left = f", the {MOST_LATENTS} of {len(own)} latents that carry most" if len(own) > MOST_LATENTS else ""
    return shared.entry, f"{seeds}{left}", head, rows


def _mean(values: np.ndarray) -> Markup:
    mean, low, high = (number(float(each), digits=3) for each in (values.mean(), values.min(), values.max()))
    ends = f"{low} to {high}" if len(values) > 1 else ""
    return html("<b>{{ v }}</b><small>{{ ends }}</small>", v=mean, ends=ends)
