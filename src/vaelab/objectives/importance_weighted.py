"""The importance-weighted bound: IWAE."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import torch

from vaelab.errors import InputError
from vaelab.models import Model
from vaelab.objectives._base import SingleObjective, Terms
from vaelab.penalties import Encoded
from vaelab.shapes import Images


@dataclass(frozen=True, kw_only=True)
class ImportanceWeighted(SingleObjective):
    """Minus the importance-weighted bound of log p(x), which rises with the number of samples K; with K = 1, the ELBO.

        loss = -E[log (1/K) sum_k p(x|z_k) p(z_k) / q(z_k|x)],  z_1 ... z_K ~ q(z|x)

    ``importance_bound`` is the bound; ``elbo``, ``distortion`` and ``rate`` are means over the same samples.

    *Source*: Burda et al. 2016, equation 8 (https://arxiv.org/abs/1509.00519).

    >>> ImportanceWeighted(num_samples=5).num_samples
    5
    """

    known_as: ClassVar[str] = "IWAE"

    num_samples: int = 5
    """Samples per image, K: 1 or more. The decoder's work, and its memory, grow with it."""

    def __post_init__(self):
        super().__post_init__()
        if self.num_samples < 1:
            raise InputError("objective.num_samples", "be at least 1", self.num_samples, "5 and 50 are the paper's.")

    def nats(self, model: Model, x: Images, encoded: Encoded, step: int | None) -> Terms:
        """See SingleObjective."""
        more = encoded.q.rsample(torch.Size([self.num_samples - 1]))
        z = torch.cat([encoded.z.unsqueeze(0), more])
        cost = encoded.q.log_prob(z) - encoded.prior.log_prob(z)
        repeated = x.expand(len(z), *x.shape).flatten(0, 1)
        distortion = -model.decode(z.flatten(0, 1)).log_prob(repeated).view(len(z), len(x))
        bound = (-(distortion + cost)).logsumexp(0) - log(len(z))
        return {
            "loss": -bound,
            "importance_bound": bound,
            "elbo": -(distortion + cost).mean(0),
            "distortion": distortion.mean(0),
            "rate": cost.mean(0),
        }
