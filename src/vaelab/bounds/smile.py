"""The Donsker-Varadhan value with clipped scores."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated

from annotated_types import Gt
from torch.nn.functional import softplus

from vaelab.bounds._base import Bound, Estimator, Scores
from vaelab.bounds._log_mean_exp import log_mean_exp
from vaelab.shapes import Scalar


@dataclass(frozen=True, kw_only=True)
class Smile(Bound):
    """The Donsker-Varadhan value with clipped marginal scores, of a critic trained as a classifier.

        value     = E_joint[T] - log E_marginal[clip(exp T, exp(-clip), exp(clip))]
        surrogate = -E_joint[softplus(-T)] - E_marginal[softplus(T)]

    The surrogate is the Jensen-Shannon objective, at whose maximum T = log p(a, b) / (p(a) p(b)). Clipping buys
    a smaller variance with a bias: the value is an estimate and *no bound*, it may lie above I. It has no ceiling.

    *Source*: Song and Ermon 2020 (https://arxiv.org/abs/1910.06222).

    >>> import torch
    >>> from vaelab.bounds import Scores
    >>> Smile(clip=5.0).build()(Scores(torch.zeros(1), torch.full((1, 2), 100.0)))
    tensor(-5.)
    """

    clip: Annotated[float, Gt(0)] = 5.0
    """Where marginal scores are clipped, tau, in nats above and below 0 (the paper's: 1 and 5); inf: no
    clipping."""

    def build(self) -> Estimator:
        """See Bound."""
        return _Smile(self.clip)

    def ceiling(self, num_negatives: int) -> float:
        """See Bound."""
        return inf


class _Smile(Estimator):
    def __init__(self, clip: float):
        super().__init__()
        self.clip = clip

    def forward(self, scores: Scores) -> Scalar:
        return scores.joint.mean() - log_mean_exp(scores.marginal.clamp(-self.clip, self.clip))

    def surrogate(self, scores: Scores) -> Scalar:
        return -softplus(-scores.joint).mean() - softplus(scores.marginal).mean()
