"""Metrics: one file, one pure function on arrays, one Score.

A metric's arguments are names of the arrays that `Gathered` holds, so `evaluate` can compute every metric whose arrays
are there; each also works on arrays from anywhere else.
"""

from __future__ import annotations

from vaelab.evaluation._bootstrap import interval, mean_score
from vaelab.evaluation._gather import Gathered, gather
from vaelab.evaluation._importance import ImportanceSums, importance_weights
from vaelab.evaluation._measures import Measures, evaluate
from vaelab.evaluation._pixels import absolute_errors, similarities, squared_errors
from vaelab.evaluation._score import Score
from vaelab.evaluation.fit import fits

__all__ = [
    "Gathered",
    "ImportanceSums",
    "Measures",
    "Score",
    "absolute_errors",
    "evaluate",
    "fits",
    "gather",
    "importance_weights",
    "interval",
    "mean_score",
    "similarities",
    "squared_errors",
]
