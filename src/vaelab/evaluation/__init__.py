"""Evaluation: what a model gives to metrics, array by array, and what they make of it."""

from __future__ import annotations

from vaelab.evaluation._annealing import annealed
from vaelab.evaluation._evaluate import all_metrics, evaluate, measure_arrays
from vaelab.evaluation._importance import ImportanceSums, importance_weights
from vaelab.evaluation.gaps import measure_gaps
from vaelab.evaluation.known import measure_known, trivial_codes
from vaelab.evaluation.maps import local_neighbourhood, neighbourhood, project, projections
from vaelab.evaluation.measured import Measured, scores_table
from vaelab.evaluation.predictor import ClassifierFacts, Predictor, fit_predictor, load_classifier, save_classifier
from vaelab.evaluation.table import clusters_of, known_of, measure_table, read_table
from vaelab.metrics import Score

__all__ = [
    "ClassifierFacts",
    "ImportanceSums",
    "Measured",
    "Predictor",
    "Score",
    "all_metrics",
    "annealed",
    "clusters_of",
    "evaluate",
    "fit_predictor",
    "importance_weights",
    "known_of",
    "load_classifier",
    "local_neighbourhood",
    "measure_arrays",
    "measure_gaps",
    "measure_known",
    "measure_table",
    "neighbourhood",
    "project",
    "projections",
    "read_table",
    "save_classifier",
    "scores_table",
    "trivial_codes",
]
