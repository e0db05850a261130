"""The unit of a likelihood: nats of what."""

from __future__ import annotations

from vaelab.likelihoods import DataSpace


def nats(space: DataSpace = "binary", normalized: bool = True) -> str:
    """Nats per image; marked where it is a density, whose value depends on the pixels' scale, or no probability at all.

    >>> nats("unit"), nats("binary", normalized=False)
    ('nats per image (density)', 'nats per image (not normalised)')
    """
    if not normalized:
        return "nats per image (not normalised)"
    return "nats per image (density)" if space == "unit" else "nats per image"
