"""A number never travels alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Score:
    """A measured number with what is needed to read it."""

    value: float
    """The measured number."""
    unit: str
    """Such as ``nats per image``, ``bits per dimension``, ``dB``, ``latents``."""
    better: Literal["higher", "lower", "neither"]
    """Which way is better."""
    count: int
    """From how many images (or draws) it was computed."""
    interval: tuple[float, float] | None = None
    """95 % confidence interval, by bootstrap over images unless the metric says otherwise."""
    ceiling: float | None = None
    """The value that the estimator cannot pass, where there is one."""
    source: str = ""
    """Where the measure is defined."""
