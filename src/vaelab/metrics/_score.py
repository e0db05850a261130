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
    """The measured number."""
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
    """The value that the estimator cannot pass, where there is one."""
    source: str = ""
    """Where the measure is defined."""
    stage: str = ""
    """The model's stage; empty where it has but one."""
    model: str = ""
    """The trivial model that was measured in the model's place, such as ``PCA``; empty: the model itself."""
