"""Numbers and findings in plain words."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from vaelab.distributions import COLLAPSE_RATE
from vaelab.metrics import Score
from vaelab.report.evidence import Evidence, active_in
from vaelab.report.measures import Measures

MINUS, THIN, TIMES = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}", "\N{MULTIPLICATION SIGN}"


def number(value: float, *, near: float | None = None, digits: int = 4) -> str:
    """A number to read: to so many digits, or to two digits of its uncertainty `near`.

    >>> number(-97.4312, near=0.5), number(0.01234), number(12345.6), number(3.0)
    ('\N{MINUS SIGN}97.43', '0.01234', '12,346', '3.000')
    """
    if not math.isfinite(value):
        return {math.inf: "\N{INFINITY}", -math.inf: f"{MINUS}\N{INFINITY}"}.get(value, "not a number")
    if near:
        places = max(0, 1 - math.floor(math.log10(abs(near))))
    elif value:
        places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    else:
        places = 0
    if places > 7:
        return f"{value:.3g}".replace("-", MINUS)
    return f"{value:,.{places}f}".replace("-", MINUS)


def value_of(score: Score) -> str:
    """The value of a score, to the digits that its interval supports."""
    whole = all(float(value).is_integer() for value in (score.value, *(score.interval or ())))
    if whole and abs(score.value) < 1e9:
        return f"{score.value:,.0f}".replace("-", MINUS)
    if score.interval and score.interval[1] > score.interval[0]:
        return number(score.value, near=(score.interval[1] - score.interval[0]) / 2)
    return number(score.value)


def ceiling_of(score: Score) -> str:
    """The value that a score's estimate cannot pass, or nothing."""
    if score.ceiling is None:
        return ""
    return f"{score.ceiling:,.0f}" if float(score.ceiling).is_integer() else number(score.ceiling, digits=3)


def interval_of(score: Score) -> str:
    """The 95 % interval of a score, or nothing."""
    if not score.interval:
        return ""
    low, high = score.interval
    if all(float(end).is_integer() for end in (low, high, score.value)):
        return f"{low:,.0f} to {high:,.0f}"
    near = (high - low) / 2 or None
    return f"{number(low, near=near)} to {number(high, near=near)}"


def duration(seconds: float) -> str:
    """
    >>> duration(3.2), duration(134), duration(7384)
    ('3.2 s', '2 min 14 s', '2 h 3 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def plural(count: int, noun: str) -> str:
    """
    >>> plural(1, "latent"), plural(5000, "image")
    ('1 latent', '5,000 images')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def size_of(image_shape: tuple[int, int, int], channels: tuple[str, ...]) -> str:
    """
    >>> size_of((3, 64, 64), ("DNA", "actin", "tubulin"))
    '64 \N{MULTIPLICATION SIGN} 64 pixels in 3 channels (DNA, actin, tubulin)'
    """
    _, height, width = image_shape
    named = any(not name.isdigit() for name in channels)
    inside = "one channel" if len(channels) == 1 else f"{len(channels)} channels"
    names = f" ({', '.join(channels)})" if named else ""
    return f"{height} {TIMES} {width} pixels in {inside}{names}"


def kept_step(metrics: pd.DataFrame) -> int | None:
    """The step with the lowest validation loss, whose weights a run keeps; None where nothing was validated."""
    steps, losses = series(metrics, "validation", "loss")
    return int(steps[losses.argmin()]) if len(losses) else None


def series(metrics: pd.DataFrame, split: str, term: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of one term on one split, without what isn't finite."""
    if not {"step", "split", term} <= set(metrics.columns):
        return np.zeros(0), np.zeros(0)
    steps, values = metrics["step"].to_numpy(float), metrics[term].to_numpy(float)
    rows = (metrics["split"] == split).to_numpy(bool) & np.isfinite(values)
    return steps[rows], values[rows]


def findings(evidence: Evidence) -> list[str]:
    """What the measures say, one sentence each."""
    scores, said = evidence.measures.scores, []
    if {"elbo", "distortion", "rate"} <= set(scores):
        said.append(_split_of_elbo(evidence))
    if evidence.first:
        said.append(_both_stages(evidence.first, evidence.measures))
    rates, active = evidence.measures.latent_rates, int(evidence.active.sum())
    if evidence.rate > COLLAPSE_RATE:
        count = f"{active} of {plural(evidence.latent_dim, 'latent')} {'is' if active == 1 else 'are'} active."
        if rates is not None and evidence.latent_dim > 1:
            most = int(rates.argmax())
            share = f"{rates[most]:.2f} nats, {rates[most] / rates.sum():.0%} of the rate"
            count += f" z{most} carries the most: {share}."
        said.append(count)
    if "PCA" in evidence.measures.baselines and "mse" in scores:
        ratio = scores["mse"].value / max(evidence.measures.baselines["PCA"]["mse"].value, 1e-12)
        said.append(
            f"Its squared error per pixel is {number(ratio, digits=2)} times that of PCA with as many components "
            f"({number(scores['mse'].value, digits=3)} against "
            f"{number(evidence.measures.baselines['PCA']['mse'].value, digits=3)})."
        )
    if gap := last_elbos(evidence.metrics):
        train, validation = (number(value) for value in gap)
        apart = f"a gap of {number(gap[0] - gap[1], digits=3)} nats" if gap[0] > gap[1] else "no gap"
        said.append(
            f"When training ended, the ELBO was {train} on training and {validation} on validation images: {apart}."
        )
    return said


def _split_of_elbo(evidence: Evidence) -> str:
    """The ELBO as the sum of its two parts."""
    elbo, distortion, cost = (value_of(evidence.measures.scores[name]) for name in ("elbo", "distortion", "rate"))
    if evidence.space == "unit":
        return (
            f"The ELBO of a held-out image, {elbo} nats, is minus its distortion ({distortion}) minus its rate "
            f"({cost}). These are densities of grey values, so they may lie on either side of zero; only differences "
            "between models count."
        )
    return (
        f"A held-out image has an ELBO of {elbo} nats: its code costs {cost} nats (rate), and drawing the image from "
        f"its code costs {distortion} nats more (distortion)."
    )


def _both_stages(first: Measures, second: Measures) -> str:
    """What each stage carries, and how well it reconstructs."""

    def carried(measures: Measures) -> str:
        active = int(active_in(measures).sum())
        nats = number(measures.scores["rate"].value, digits=3)
        return f"{nats} nats in {active} active of {plural(measures.embedding.latent_dim, 'latent')}"

    errors = [measures.scores["mse"].value for measures in (first, second)]
    return (
        f"The first stage's code carries {carried(first)}, the second's {carried(second)}. The squared error per pixel "
        f"is {number(errors[0], digits=3)} after the first and {number(errors[1], digits=3)} after the second, "
        f"{number(errors[1] / max(errors[0], 1e-12), digits=2)} times as much."
    )


def still_improving(metrics: pd.DataFrame) -> bool:
    """Whether the last fifth of the validations brought the loss down by more than 1 %, the last being the best."""
    _, losses = series(metrics, "validation", "loss")
    if len(losses) < 5:
        return False
    before, last = losses[: -max(1, len(losses) // 5)].min(), losses[-1]
    return bool(last == losses.min() and before - last > 0.01 * abs(before))


def last_elbos(metrics: pd.DataFrame, prefix: str = "") -> tuple[float, float] | None:
    """The last ELBOs (training, validation), where both are known."""
    train, validation = (series(metrics, split, f"{prefix}elbo")[1] for split in ("train", "validation"))
    return (float(train[-1]), float(validation[-1])) if len(train) and len(validation) else None
