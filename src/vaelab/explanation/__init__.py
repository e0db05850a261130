"""Explanations: what a latent, a class, a classifier's decision looks like."""

from __future__ import annotations

from vaelab.explanation.meaning import Meaning, meaning, meaning_of
from vaelab.explanation.measured_features import measured_features
from vaelab.explanation.over_seeds import Repeated, over_seeds

__all__ = ["Meaning", "Repeated", "meaning", "meaning_of", "measured_features", "over_seeds"]
