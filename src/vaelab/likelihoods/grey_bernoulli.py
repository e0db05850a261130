"""Grey pixels read as probabilities of a 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from vaelab.distributions import BernoulliPixels
from vaelab.likelihoods._base import Likelihood


@dataclass(frozen=True, kw_only=True)
class GreyBernoulliLikelihood(Likelihood):
    """The cross entropy on grey pixels, each read as the probability that a binary pixel is 1. Not a likelihood of x.

        "log p(x|z)" = sum x log p + (1 - x) log(1 - p),  p = sigmoid(raw)
                     = E_b log Bernoulli(b; p),  b drawn anew with probability x for each pixel

    exp of it integrates over x in [0, 1] to tanh(raw/2) / raw per pixel, between 0 and 1/2, so it is marked as not
    normalised and is compared with no other likelihood. It is, though, the mean log-likelihood of
    the image binarised at random. The continuous Bernoulli is its normalised form.

    *Source*: Loaiza-Ganem and Cunningham 2019, section 2 (https://arxiv.org/abs/1907.06845).

    >>> import torch
    >>> p = GreyBernoulliLikelihood()(torch.zeros(1, 1, 8, 8), {})
    >>> p.log_prob(torch.full((1, 1, 8, 8), 0.3)) / 64
    tensor([-0.6931])
    """

    space = "unit"
    normalized = False

    def __call__(self, raw: Tensor, free: Mapping[str, Tensor]) -> BernoulliPixels:
        """See Likelihood. It samples pixels that are 0 or 1."""
        return BernoulliPixels(raw)
