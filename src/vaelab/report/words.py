"""Numbers and findings in plain words."""

from __future__ import annotations

import math

import pandas as pd

from vaelab.evaluation import Score
from vaelab.report.evidence import Evidence

MINUS, THIN, TIMES = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}", "\N{MULTIPLICATION SIGN}"
FEW_IMAGES = 500
COLLAPSE_RATE = 0.1


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
    if score.interval and score.interval[1] > score.interval[0]:
        return number(score.value, near=(score.interval[1] - score.interval[0]) / 2)
    return f"{score.value:,.0f}" if float(score.value).is_integer() and abs(score.value) < 1e9 else number(score.value)


def interval_of(score: Score) -> str:
    """The 95 % interval of a score, or nothing."""
    if not score.interval:
        return ""
    low, high = score.interval
    near = (high - low) / 2 or None
    return f"{number(low, near=near)} to {number(high, near=near)}"


def duration(seconds: float) -> str:
    """
    >>> duration(3.2), duration(134), duration(7384)
    ('3.2 s', '2 min 14 s', '2 h 3 min')
    """
    if seconds < 60:
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
    held_out = metrics[metrics["split"] == "validation"] if "split" in metrics else metrics.iloc[:0]
    losses = held_out["loss"].dropna() if "loss" in held_out else pd.Series(dtype=float)
    return int(held_out.loc[losses.idxmin(), "step"]) if len(losses) else None


def findings(evidence: Evidence) -> list[str]:
    """What the measures say, one sentence each."""
    scores, said = evidence.scores, []
    if {"elbo", "distortion", "rate"} <= set(scores):
        distortion, cost = scores["distortion"], scores["rate"]
        said.append(
            f"A held-out image has an ELBO of {value_of(scores['elbo'])} nats: its code costs {value_of(cost)} nats (rate), "
            f"and drawing the image from its code costs {value_of(distortion)} nats more (distortion)."
        )
    order = evidence.rates.argsort()[::-1]
    total = float(evidence.rates.sum())
    if total > COLLAPSE_RATE:
        most = int(order[0])
        share = evidence.rates[most] / total
        said.append(
            f"{int(evidence.active.sum())} of {plural(evidence.latent_dim, 'latent')} "
            f"{'is' if evidence.active.sum() == 1 else 'are'} active. z{most} carries the most: "
            f"{evidence.rates[most]:.2f} nats, {share:.0%} of the rate."
        )
    if gap := _gap(evidence.metrics):
        train, validation = gap
        said.append(
            f"When training ended, the ELBO was {number(train)} nats on training and {number(validation)} on validation images: "
            f"a gap of {number(train - validation, digits=3)} nats."
        )
    return said


def warnings(evidence: Evidence) -> list[tuple[str, str]]:
    """(what, what it means) for everything that a reader should know before trusting the numbers."""
    found = []
    total = float(evidence.rates.sum())
    if total < COLLAPSE_RATE or not evidence.active.any():
        found.append((
            "Posterior collapse",
            f"The code carries {number(total, digits=2)} nats and {int(evidence.active.sum())} latents are active: the model hardly "
            "uses its latents, and every image gets nearly the same reconstruction. Latent plots below show noise. "
            "Lower the weight of the rate, warm it up over more steps, or use free bits.",
        ))  # fmt: skip
    if not evidence.normalized:
        found.append((
            "The likelihood is not normalised",
            "Its exp(log p(x|z)) does not sum to one for these images, so ELBO and log p(x) are comparable only between "
            "runs with this same likelihood, and bits per dimension don't count bits.",
        ))  # fmt: skip
    if evidence.split != "test":
        found.append((
            "Measured on validation images",
            "There is no test split. Validation images chose which weights were kept, so the numbers are a little too good.",
        ))  # fmt: skip
    held_out = evidence.counts.get(evidence.split, 0)
    if held_out < FEW_IMAGES:
        found.append((
            "Few held-out images",
            f"Only {plural(held_out, 'image')} could be held out; below {FEW_IMAGES} the intervals are wide and rare kinds "
            "of images may be missing.",
        ))  # fmt: skip
    if evidence.left_out:
        found.append((
            f"{plural(len(evidence.left_out), 'file')} left out",
            "They could not be used; each is listed with its reason under the data.",
        ))  # fmt: skip
    if (gap := _gap(evidence.metrics)) and gap[0] - gap[1] > 0.05 * abs(gap[0]):
        found.append((
            "Overfitting",
            f"When training ended, the ELBO on validation images was {number(gap[0] - gap[1], digits=3)} nats below that on training images: "
            "part of what was learnt holds for the training images only.",
        ))  # fmt: skip
    if still_improving(evidence.metrics):
        found.append((
            "Training may have stopped early",
            "The best validation loss is the last one, and it was still falling: more steps would probably help.",
        ))  # fmt: skip
    return found


def still_improving(metrics: pd.DataFrame) -> bool:
    """Whether the last fifth of the validations brought the loss down by more than 1 %, the last being the best."""
    if not {"split", "loss"} <= set(metrics.columns):
        return False
    losses = metrics.loc[metrics["split"] == "validation", "loss"].dropna().to_numpy()
    if len(losses) < 5:
        return False
    before, last = losses[: -max(1, len(losses) // 5)].min(), losses[-1]
    return bool(last == losses.min() and before - last > 0.01 * abs(before))


def _gap(metrics: pd.DataFrame) -> tuple[float, float] | None:
    """The last ELBOs (training, validation), where both are known."""
    if not {"split", "elbo"} <= set(metrics.columns):
        return None
    last = [metrics.loc[metrics["split"] == split, "elbo"].dropna() for split in ("train", "validation")]
    return (float(last[0].iloc[-1]), float(last[1].iloc[-1])) if all(map(len, last)) else None
