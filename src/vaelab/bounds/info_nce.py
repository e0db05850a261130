"""The bound of contrastive predictive coding."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log1p

import torch

from vaelab.bounds._base import Bound, Estimator, Scores
from vaelab.shapes import Scalar


@dataclass(frozen=True, kw_only=True)
class InfoNCE(Bound):
    """How well the critic finds the right one among m + 1 candidates.

        I(a; b) >= E[log exp(T_i) / (1/(m+1) (exp(T_i) + sum_j exp(T_ij)))],  at most log(m + 1)

    T_i is the score of a pair, T_ij that of its a with the j-th of m negatives. Little variance, but a low ceiling: a
    curve that lies on it says only that I is at least that much.

    *Source*: van den Oord et al. 2018, section 2.3 and appendix A.1 (https://arxiv.org/abs/1807.03748).

    >>> round(InfoNCE().ceiling(num_negatives=31), 2)
    3.47
    """

    def build(self) -> Estimator:
        """See Bound."""
        return _InfoNCE()

    def ceiling(self, num_negatives: int) -> float:
        """See Bound."""
        return log1p(num_negatives)


class _InfoNCE(Estimator):
    def forward(self, scores: Scores) -> Scalar:
        candidates = torch.cat([scores.joint[:, None], scores.marginal], dim=1)
        return (scores.joint - candidates.logsumexp(1)).mean() + log(candidates.shape[1])
