"""Explanations: what a latent, a class, a classifier's decision looks like."""

from __future__ import annotations

from vaelab.explanation._explain import Explained, Series, explain
from vaelab.explanation.confounders import Drag, drag
from vaelab.explanation.deletion import Curves, deletion_curves, deletion_tests
from vaelab.explanation.differs import Differing, differs
from vaelab.explanation.fidelity import Fidelity, fidelity
from vaelab.explanation.follows import Followed, follows
from vaelab.explanation.judge import Judge, judge_of
from vaelab.explanation.judging import judge_series
from vaelab.explanation.meaning import Meaning, meaning, meaning_of
from vaelab.explanation.measured_features import measured_features
from vaelab.explanation.over_seeds import Repeated, over_seeds
from vaelab.explanation.saliency import saliency_maps
from vaelab.explanation.where import Where, where

__all__ = [
    "Curves",
    "Differing",
    "Drag",
    "Explained",
    "Fidelity",
    "Followed",
    "Judge",
    "Meaning",
    "Repeated",
    "Series",
    "Where",
    "deletion_curves",
    "deletion_tests",
    "differs",
    "drag",
    "explain",
    "fidelity",
    "follows",
    "judge_of",
    "judge_series",
    "meaning",
    "meaning_of",
    "measured_features",
    "over_seeds",
    "saliency_maps",
    "where",
]
