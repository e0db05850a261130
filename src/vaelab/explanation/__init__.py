"""Explanations: what a latent, a class, a classifier's decision looks like."""

from __future__ import annotations

from vaelab.explanation._explain import Explained, Series, explain
from vaelab.explanation.fidelity import Fidelity, fidelity
from vaelab.explanation.judge import Judge, judge_of
from vaelab.explanation.judging import judge_series
from vaelab.explanation.meaning import Meaning, meaning, meaning_of
from vaelab.explanation.measured_features import measured_features

__all__ = [
    "Explained",
    "Fidelity",
    "Judge",
    "Meaning",
    "Series",
    "explain",
    "fidelity",
    "judge_of",
    "judge_series",
    "meaning",
    "meaning_of",
    "measured_features",
]
