"""Lower bounds on mutual information, from the scores of a critic. One file, one bound."""

from __future__ import annotations

from vaelab.bounds._base import Bound, Estimator, Scores

__all__ = ["Bound", "Estimator", "Scores"]
