"""What the last terms of a log give away: estimates at their ceiling, codes that say nothing."""

from __future__ import annotations

from collections.abc import Mapping

from vaelab.distributions import COLLAPSE_RATE

_NEAR = 0.95


def at_ceiling(terms: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Term -> (value, ceiling), in nats, of those within 5 % of the largest value that their estimator can take.

    Args:
        terms: As the log has them: an estimate, and beside it ``<its name>_ceiling``.

    >>> at_ceiling({"mutual_information": 3.4, "mutual_information_ceiling": 3.47, "rate": 9.0})
    {'mutual_information': (3.4, 3.47)}
    """
    pairs = {name: (terms[name], terms.get(f"{name}_ceiling", float("inf"))) for name in terms}
    return {name: (value, top) for name, (value, top) in pairs.items() if value >= _NEAR * top}


def collapsed(terms: Mapping[str, float]) -> dict[str, float]:
    """Term -> its nats per image, of the rates below 0.1: the posterior hardly differs from the prior there.

    Args:
        terms: As the log has them; ``rate``, and ``first_rate`` where there are two stages.

    >>> collapsed({"rate": 0.02, "first_rate": 80.0, "elbo": -9000.0})
    {'rate': 0.02}
    """
    return {name: terms[name] for name in ("first_rate", "rate") if terms.get(name, COLLAPSE_RATE) < COLLAPSE_RATE}
