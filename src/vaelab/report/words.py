"""Numbers and findings in plain words."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from vaelab.evaluation import Score
from vaelab.report.evidence import Evidence

MINUS, THIN, TIMES = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}", "\N{MULTIPLICATION SIGN}"
FEW_IMAGES = 500
COLLAPSE_RATE = 0.1
FEW_WEIGHTS = 2.0


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
    rates, active = evidence.measures.latent_rates, int(evidence.active.sum())
    if rates is not None and evidence.rate > COLLAPSE_RATE:
        most = int(rates.argmax())
        share = f"{rates[most]:.2f} nats, {rates[most] / rates.sum():.0%} of the rate"
        count = f"{active} of {plural(evidence.latent_dim, 'latent')} {'is' if active == 1 else 'are'} active."
        said.append(f"{count} z{most} carries the most: {share}." if evidence.latent_dim > 1 else count)
    if "PCA" in evidence.measures.baselines and "mse" in scores:
        ratio = scores["mse"].value / max(evidence.measures.baselines["PCA"]["mse"].value, 1e-12)
        said.append(
            f"Its squared error per pixel is {number(ratio, digits=2)} times that of PCA with as many components "
            f"({number(scores['mse'].value, digits=3)} against "
            f"{number(evidence.measures.baselines['PCA']['mse'].value, digits=3)})."
        )
    if gap := _gap(evidence.metrics):
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


def warnings(evidence: Evidence) -> list[tuple[str, str]]:
    """(what, what it means) for everything that a reader should know before trusting the numbers."""
    found = []
    total, measured = evidence.rate, evidence.measures.scores
    if total < COLLAPSE_RATE or not evidence.active.any():
        found.append((
            "Posterior collapse",
            f"The code carries {number(total, digits=2)} nats and {int(evidence.active.sum())} latents are active: "
            "the model hardly uses its latents, and every image gets nearly the same reconstruction. Latent plots "
            "below show noise. Lower the weight of the rate, warm it up over more steps, or use free bits.",
        ))  # fmt: skip
    if not evidence.normalized:
        found.append((
            "The likelihood is not normalised",
            "Its exp(log p(x|z)) does not sum to one for these images, so ELBO and log p(x) are comparable only "
            "between runs with this same likelihood, and bits per dimension don't count bits.",
        ))  # fmt: skip
    if evidence.split == "train":
        found.append((
            "Measured on training images",
            "No image was held out, so the numbers say nothing of new images.",
        ))  # fmt: skip
    elif evidence.split != "test":
        found.append((
            "Measured on validation images",
            "There is no test split. Validation images chose which weights were kept, so the numbers are a little "
            "too good.",
        ))  # fmt: skip
    held_out = evidence.counts[evidence.split]
    if held_out < FEW_IMAGES:
        found.append((
            "Few held-out images",
            f"Only {plural(held_out, 'image')} could be held out; below {FEW_IMAGES} the intervals are wide and rare "
            "kinds of images may be missing.",
        ))  # fmt: skip
    if evidence.left_out:
        found.append((
            f"{plural(len(evidence.left_out), 'file')} left out",
            "They could not be used; each is listed with its reason under the data.",
        ))  # fmt: skip
    if "effective_samples" in measured and measured["effective_samples"].value < FEW_WEIGHTS:
        found.append((
            "log p(x) rests on few draws",
            f"Of {evidence.num_samples} importance weights per image only "
            f"{number(measured['effective_samples'].value, digits=2)} count on average, so log p(x) is too low by an "
            "unknown amount; take more draws.",
        ))  # fmt: skip
    if (gap := _gap(evidence.metrics)) and gap[0] - gap[1] > 0.05 * abs(gap[0]):
        found.append((
            "Overfitting",
            f"When training ended, the ELBO on validation images was {number(gap[0] - gap[1], digits=3)} nats below "
            "that on training images: part of what was learnt holds for the training images only.",
        ))  # fmt: skip
    taken = int(evidence.metrics["step"].max()) if len(evidence.metrics) else 0
    if 0 < taken < evidence.planned_steps and evidence.experiment.training.patience is None:
        found.append((
            "Not trained to the end",
            f"{taken:,} of {evidence.planned_steps:,} steps were taken: the run was interrupted, or is still going on.",
        ))  # fmt: skip
    if still_improving(evidence.metrics):
        found.append((
            "Training may have ended too early",
            "The best validation loss is the last one, and it was still falling: more steps would probably help.",
        ))  # fmt: skip
    return found


def still_improving(metrics: pd.DataFrame) -> bool:
    """Whether the last fifth of the validations brought the loss down by more than 1 %, the last being the best."""
    _, losses = series(metrics, "validation", "loss")
    if len(losses) < 5:
        return False
    before, last = losses[: -max(1, len(losses) // 5)].min(), losses[-1]
    return bool(last == losses.min() and before - last > 0.01 * abs(before))


def _gap(metrics: pd.DataFrame) -> tuple[float, float] | None:
    """The last ELBOs (training, validation), where both are known."""
    train, validation = (series(metrics, split, "elbo")[1] for split in ("train", "validation"))
    return (float(train[-1]), float(validation[-1])) if len(train) and len(validation) else None
