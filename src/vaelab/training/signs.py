"""What the last terms of a log give away: estimates at their ceiling, codes that say nothing."""

from __future__ import annotations

from collections.abc import Mapping

from vaelab.distributions import COLLAPSE_RATE

_NEAR = 0.95


FEW_STEPS = 20
"""Optimiser steps before which a code that says nothing is no finding."""


def at_ceiling(terms: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Term -> (value, ceiling), in nats, of those within 5 % of the largest value that their estimator can take.

    Args:
        terms: As the log has them: an estimate, and beside it ``<its name>_ceiling``.

    >>> at_ceiling({"mutual_information": 3.4, "mutual_information_ceiling": 3.47, "rate": 9.0})
    {'mutual_information': (3.4, 3.47)}
    """
    pairs = {name: (terms[name], terms.get(f"{name}_ceiling", float("inf"))) for name in terms}
    return {name: (value, top) for name, (value, top) in pairs.items() if value >= _NEAR * top}


def collapsed(terms: Mapping[str, float]) -> bool:
    """Whether a stage's rate is below 0.1 nats per image: the posterior hardly differs from the prior there.

    Args:
        terms: Of one stage, as the log has them.

    >>> collapsed({"rate": 0.02, "elbo": -9000.0}), collapsed({"loss": 3.0})
    (True, False)
    """
    return terms.get("rate", COLLAPSE_RATE) < COLLAPSE_RATE
