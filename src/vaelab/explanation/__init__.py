"""Explanations: what a latent, a class, a classifier's decision looks like."""

from __future__ import annotations

from vaelab.explanation._explain import Explained, Series, explain
from vaelab.explanation.fidelity import Fidelity, fidelity
from vaelab.explanation.judge import Judge, judge_of

__all__ = ["Explained", "Fidelity", "Judge", "Series", "explain", "fidelity", "judge_of"]
