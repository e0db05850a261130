"""The bound of Nguyen, Wainwright and Jordan."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from vaelab.bounds._base import Bound, Estimator, Scores
from vaelab.bounds._log_mean_exp import log_mean_exp
from vaelab.shapes import Scalar


@dataclass(frozen=True, kw_only=True)
class NWJ(Bound):
    """The f-GAN bound for the Kullback-Leibler divergence, which the InfoMax-VAE maximises.

        I(a; b) >= E_joint[T] - E_marginal[exp(T - 1)],  with equality at T = 1 + log p(a, b) / (p(a) p(b))

    A batch's value is unbiased, so the bound holds on average for any critic; its gradient needs no correction. It has
    no ceiling, and a variance that grows like exp(I): one high score of a marginal pair makes the value very negative.

    *Source*: Nguyen, Wainwright and Jordan 2010 (https://arxiv.org/abs/0809.0853); Nowozin et al. 2016, section 2
    (https://arxiv.org/abs/1606.00709); in the InfoMax-VAE: Lotfi Rezaabad and Vishwanath 2020
    (https://arxiv.org/abs/1912.13361).

    >>> import torch
    >>> from vaelab.bounds import Scores
    >>> NWJ().build()(Scores(torch.ones(4), torch.ones(4, 3)))
    tensor(0.)
    """

    def build(self) -> Estimator:
        """See Bound."""
        return _NWJ()

    def ceiling(self, num_negatives: int) -> float:
        """See Bound."""
        return inf


class _NWJ(Estimator):
    def forward(self, scores: Scores) -> Scalar:
        return scores.joint.mean() - (log_mean_exp(scores.marginal) - 1).exp()
