"""The bound between NWJ and InfoNCE."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log1p
from typing import Annotated

import torch
from annotated_types import Gt, Lt

from vaelab.bounds._base import Bound, Estimator, Scores
from vaelab.shapes import Numbers, PerImage, Scalar


@dataclass(frozen=True, kw_only=True)
class Interpolated(Bound):
    """I_alpha: the scores are normalised in part by a constant, as in NWJ, in part by the batch, as in InfoNCE.

        I(a; b) >= 1 + E_joint[log r] - E_marginal[r],   r(a, b, c) = exp T(a, b) / (alpha mean + 1 - alpha)
        mean = (exp T(a, b) + sum_k exp T(a, c_k)) / m,  with m - 1 further negatives c_k

    Given the c, which know nothing of (a, b), the right side is NWJ's for the critic 1 + log r, so it holds on average
    for any T. All m negatives of a pair are needed for E_marginal, where b itself is one: since any of them might be
    it, r there is averaged over all, mean / (alpha mean + 1 - alpha). So m - 1 are left for E_joint.

    r is below m / alpha, hence the value below 1 + log(m / alpha). (Poole et al. state log(m / alpha); that is passed
    where all marginal scores are very low.) At alpha = 1 this would be InfoNCE with m - 1 negatives, at 0 NWJ of 1 + T.

    *Source*: Poole et al. 2019, section 2, "Nonlinearly interpolated lower bounds" (https://arxiv.org/abs/1905.06922).

    >>> round(Interpolated(alpha=0.01).ceiling(num_negatives=31), 2)
    9.04
    """

    alpha: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of the batch in the normaliser (at 0 this would be nwj, at 1 info_nce): the smaller, the higher the ceiling
    and the larger the variance. (Not the study's alpha, which is the penalty's weight.)"""

    def build(self) -> Estimator:
        """See Bound."""
        return _Interpolated(self.alpha)

    def ceiling(self, num_negatives: int) -> float:
        """See Bound."""
        return 1 + log(num_negatives / self.alpha)


class _Interpolated(Estimator):
    def __init__(self, alpha: float):
        super().__init__()
        self.log_share, self.log_rest = log(alpha), log1p(-alpha)

    def forward(self, scores: Scores) -> Scalar:
        joint, marginal = scores
        with_joint = torch.cat([joint[:, None], marginal[:, 1:]], dim=1)
        log_ratio = joint - self._log_normalizer(_log_mean(with_joint))
        log_mean = _log_mean(marginal)
        return 1 + log_ratio.mean() - (log_mean - self._log_normalizer(log_mean)).exp().mean()

    def _log_normalizer(self, log_mean: PerImage) -> PerImage:
        """log(alpha mean + 1 - alpha)."""
        return torch.logaddexp(log_mean + self.log_share, torch.full_like(log_mean, self.log_rest))


def _log_mean(candidates: Numbers) -> PerImage:
    return candidates.logsumexp(1) - log(candidates.shape[1])
