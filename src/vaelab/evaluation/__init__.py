"""Evaluation: what a model gives to metrics, array by array, and what they make of it."""

from __future__ import annotations

from vaelab.evaluation._annealing import annealed
from vaelab.evaluation._evaluate import all_metrics, evaluate, measure_arrays
from vaelab.evaluation._importance import ImportanceSums, importance_weights
from vaelab.evaluation.gaps import measure_gaps
from vaelab.evaluation.measured import Measured, scores_table
from vaelab.evaluation.table import measure_table, read_table
from vaelab.metrics import Score

__all__ = [
    "ImportanceSums",
    "Measured",
    "Score",
    "all_metrics",
    "annealed",
    "evaluate",
    "importance_weights",
    "measure_arrays",
    "measure_gaps",
    "measure_table",
    "read_table",
    "scores_table",
]
