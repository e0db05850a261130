"""The Donsker-Varadhan bound, with the gradient of MINE."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, log1p
from typing import Annotated

import torch
from annotated_types import Gt, Le
from torch import Tensor

from vaelab.bounds._base import Bound, Estimator, Scores
from vaelab.bounds._log_mean_exp import log_mean_exp
from vaelab.shapes import Scalar


@dataclass(frozen=True, kw_only=True)
class DonskerVaradhan(Bound):
    """The Donsker-Varadhan representation of a Kullback-Leibler divergence: MINE.

        I(a; b) >= E_joint[T] - log E_marginal[exp T],  with equality at T = log p(a, b) / (p(a) p(b)) + any constant

    Of a batch the logarithm of a mean is taken, which is too small on average: the value of a batch is biased upward.
    The gradient of that logarithm is biased too, since exp(T) is divided by the batch's own mean; MINE divides by a
    moving average over batches, m, instead:

        grad surrogate = E_joint[grad T] - E_marginal[exp(T) grad T] / m,   m <- (1 - r) m + r E_marginal[exp T]

    The value has no ceiling, and a variance that grows like exp(I).

    *Source*: Belghazi et al. 2018, sections 3.1 and 3.2 (https://arxiv.org/abs/1801.04062).

    >>> from vaelab.bounds import Scores
    >>> same = DonskerVaradhan().build()(Scores(torch.zeros(4), torch.zeros(4, 3)))
    >>> same.item() == 0
    True
    """

    moving_average_rate: Annotated[float, Gt(0), Le(1)] = 0.1
    """Share r of the newest batch in the moving average; 1: the gradient is the bound's own."""

    def build(self) -> Estimator:
        """See Bound."""
        return _DonskerVaradhan(self.moving_average_rate)

    def ceiling(self, num_negatives: int) -> float:
        """See Bound."""
        return inf


class _DonskerVaradhan(Estimator):
    log_average: Tensor

    def __init__(self, rate: float):
        super().__init__()
        self.log_new, self.log_old = log(rate), log1p(-rate) if rate < 1 else -inf
        self.register_buffer("log_average", torch.tensor(-inf))

    def forward(self, scores: Scores) -> Scalar:
        return scores.joint.mean() - log_mean_exp(scores.marginal)

    def surrogate(self, scores: Scores) -> Scalar:
        log_mean = log_mean_exp(scores.marginal)
        self._remember(log_mean.detach())
        return scores.joint.mean() - (log_mean - self.log_average).exp()

    def _remember(self, log_mean: Scalar) -> None:
        """Takes a batch into the moving average; the first batch is the average. Nothing waits for the device."""
        mixed = torch.logaddexp(self.log_average + self.log_old, log_mean + self.log_new)
        self.log_average.copy_(torch.where(self.log_average == -inf, log_mean, mixed))
