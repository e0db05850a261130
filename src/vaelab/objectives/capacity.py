"""The rate held at a capacity that grows: AnnealedVAE."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from vaelab import ranks
from vaelab.distributions import rate
from vaelab.models import Model
from vaelab.objectives._base import SingleObjective, Terms
from vaelab.penalties import Encoded
from vaelab.schedules import Ramp, Time
from vaelab.settings.ranges import AtLeast0, NotNegative, Positive
from vaelab.shapes import Images


@dataclass(frozen=True, kw_only=True)
class Capacity(SingleObjective):
    """Distortion plus the distance of the batch's mean rate from a capacity that rises with the steps.

        loss = -E_q[log p(x|z)] + weight * |mean KL(q(z|x) || p(z)) - capacity(step)|

    *Source*: Burgess et al. 2018, equation 8 (https://arxiv.org/abs/1804.03599).

    >>> from vaelab.schedules import time_of
    >>> float(Capacity(max_capacity=25, num_steps=100).capacity(time_of(20)))
    5.0
    """

    weight: Positive = 1000.0
    """Weight of the distance, gamma."""
    max_capacity: NotNegative = 25.0
    """Nats per image that the rate may have in the end."""
    num_steps: AtLeast0 = 100_000
    """Optimiser steps over which the capacity rises in a line from 0; 0: it is whole at once."""

    @property
    def capacity(self) -> Ramp:
        """Nats per image at t."""
        return Ramp(self.max_capacity, steps=self.num_steps)

    def without_schedules(self) -> Capacity:
        """See Objective."""
        return replace(self, num_steps=0)

    def nats(self, model: Model, x: Images, encoded: Encoded, t: Time | None, *, preparing: bool) -> Terms:
        """See SingleObjective."""
        distortion = -model.decode(encoded.z).log_prob(x)
        cost = rate(encoded.q, encoded.prior, encoded.z)
        capacity = torch.as_tensor(self.capacity(t)).to(cost)
        loss = distortion + self.weight * (ranks.gather(cost).mean() - capacity).abs()
        return {"loss": loss, "elbo": -(distortion + cost), "distortion": distortion, "rate": cost}
