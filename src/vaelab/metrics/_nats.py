"""The unit of a likelihood: nats of what."""

from __future__ import annotations

from typing import Literal

Space = Literal["binary", "levels", "unit"]
"""On what a likelihood puts its probability: pixels that are 0 or 1, grey levels, or all of [0, 1], as a density."""


def nats(space: Space = "binary", normalized: bool = True) -> str:
    """Nats per image; marked where it is a density, whose value depends on the pixels' scale, or no probability at all.

    >>> nats("unit"), nats("binary", normalized=False)
    ('nats per image (density)', 'nats per image (not normalised)')
    """
    if not normalized:
        return "nats per image (not normalised)"
    return "nats per image (density)" if space == "unit" else "nats per image"
