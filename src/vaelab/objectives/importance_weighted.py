"""The importance-weighted bound: IWAE."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import torch

from vaelab.distributions import sample_with
from vaelab.models import Model
from vaelab.objectives._base import SingleObjective, Terms
from vaelab.penalties import Encoded, Term
from vaelab.schedules import Time
from vaelab.settings.ranges import AtLeast1
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
    words: ClassVar = {
        **SingleObjective.words,
        "importance_bound": Term("Importance-weighted bound", "higher is better"),
    }

    num_samples: AtLeast1 = 5
    """Samples per image, K; 5 and 50 are the paper's. The decoder's work, and its memory, grow with it."""

    def noise_dims(self, model: Model) -> tuple[int, ...]:
        """See Objective: as many samples."""
        return (model.latent_dim,) * self.num_samples

    def nats(self, model: Model, x: Images, encoded: Encoded, t: Time | None, *, preparing: bool) -> Terms:
        """See SingleObjective."""
        z = encoded.z.unsqueeze(0)
        if encoded.more is not None:
            noise = encoded.more.view(len(x), -1, z.shape[2]).transpose(0, 1)
            z = torch.cat([z, sample_with(encoded.q, noise)])
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
