"""A number never travels alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Way = Literal["higher", "lower", "neither"]
"""Which way a number is better."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A measured number with what is needed to read it."""

    metric: str = ""
    """The metric's name."""
    part: str = ""
    """The channel, latent, factor, class or pair that it speaks of; empty: of all."""
    value: float
    """The measured number; not a number where there is none, and `reason` says why."""
    unit: str
    """Such as ``nats per image``, ``bits per dimension``, ``dB``, ``latents``."""
    better: Way = "neither"
    """Which way is better."""
    count: int
    """From how many images (or draws) it was computed."""
    interval: tuple[float, float] | None = None
    """95 % confidence interval, by bootstrap over images unless the metric says otherwise."""
    null: float | None = None
    """What a code that says nothing of the image scores, where that is known."""
    ceiling: float | None = None
    """The value that the estimator cannot pass, or what the truth itself in the codes' place reaches; where known."""
    source: str = ""
    """Where the measure is defined."""
    stage: str = ""
    """The model's stage; empty where it has but one."""
    model: str = ""
    """The trivial model that was measured in the model's place, such as ``PCA``; empty: the model itself."""
    reason: str = ""
    """Why there is no number; empty where there is one."""


def no_score(reason: str, unit: str, count: int) -> Score:
    """A score without a number, for images of which nothing can be said.

    >>> no_score("there is one image alone", "dB", 1).reason
    'there is one image alone'
    """
    return Score(value=float("nan"), unit=unit, count=count, reason=reason)
