"""Explanations: what a latent, a class, a classifier's decision looks like."""

from __future__ import annotations

from vaelab.explanation._explain import Explained, Series, explain
from vaelab.explanation.judge import Judge, judge_of
from vaelab.explanation.judging import judge_series

__all__ = ["Explained", "Judge", "Series", "explain", "judge_of", "judge_series"]
