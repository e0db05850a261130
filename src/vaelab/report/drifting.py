"""The section of a comparison that says what a new class did to the codes of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vaelab.evaluation.drift import SETTLED
from vaelab.plots import lines
from vaelab.report.html import html
from vaelab.report.words import number
from vaelab.runs.drifts import Drift


class Drifting(NamedTuple):
    """What the section shows."""

    later: str
    since: int
    level: str
    rows: list[list]
    charts: list[tuple[Figure, str]]


def drifting(found: Sequence[Drift]) -> Drifting | None:
    """Table and charts of the drift; None where there is none."""
    if not found:
        return None
    first = found[0]
    charts = [
        (_chart(found, "left", "share of variance left"), "Change of arrangement since then (Procrustes)"),
        (_chart(found, "kl", "KL, nats per image"), "Change of the posteriors since then"),
    ]
    return Drifting(", ".join(first.later), first.since, f"{SETTLED:.0%}", [_row(each) for each in found], charts)


def _chart(found: Sequence[Drift], name: str, unit: str) -> Figure:
    named = {each.entry: np.stack([each.steps, getattr(each, name).mean(0)]) for each in found}
    return lines(named, unit=unit, mark=found[0].since, marked=f"{', '.join(found[0].later)} comes in")


def _row(each: Drift) -> list:
    reached = [step for step in each.settled if step is not None]
    never = len(each.settled) - len(reached)
    settled = f"{np.mean(reached):,.0f}" if reached else "not by the end"
    below = f"{never} of {len(each.settled)} seeds not by the end" if reached and never else ""
    return [
        html("{{ name|code }}", name=each.entry),
        (number(float(each.left[:, -1].mean()), digits=3), "n"),
        (number(float(each.kl[:, -1].mean()), digits=3), "n"),
        (html("{{ a }}<small>{{ b }}</small>", a=settled, b=below), "n"),
    ]
