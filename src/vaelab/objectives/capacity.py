"""The rate held at a capacity that grows: AnnealedVAE."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vaelab.distributions import rate
from vaelab.errors import InputError
from vaelab.models import Model
from vaelab.objectives._base import SingleObjective, Terms
from vaelab.penalties import Encoded
from vaelab.shapes import Images


@dataclass(frozen=True, kw_only=True)
class Capacity(SingleObjective):
    """Distortion plus the distance of the batch's mean rate from a capacity that rises with the steps.

        loss = -E_q[log p(x|z)] + weight * |mean KL(q(z|x) || p(z)) - capacity(step)|

    *Source*: Burgess et al. 2018, equation 8 (https://arxiv.org/abs/1804.03599).

    >>> Capacity(max_capacity=25, num_steps=100).capacity(step=20)
    5.0
    """

    weight: float = 1000.0
    """Weight of the distance, gamma: above 0."""
    max_capacity: float = 25.0
    """Nats per image that the rate may have in the end; 0 or more."""
    num_steps: int = 100_000
    """Optimiser steps over which the capacity rises in a line from 0; 0: it is whole at once."""

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.weight < float("inf"):
            raise InputError("objective.weight", "be positive and finite", self.weight)
        if not 0 <= self.max_capacity < float("inf"):
            raise InputError("objective.max_capacity", "be 0 or more and finite", self.max_capacity)
        if self.num_steps < 0:
            raise InputError("objective.num_steps", "be 0 or more", self.num_steps)

    def capacity(self, step: int | None) -> float:
        """Nats per image after so many optimiser steps; None: in the end."""
        share = 1.0 if step is None or not self.num_steps else min(1.0, step / self.num_steps)
        return self.max_capacity * share

    def without_schedules(self) -> Capacity:
        """See Objective."""
        return replace(self, num_steps=0)

    def nats(self, model: Model, x: Images, encoded: Encoded, step: int | None) -> Terms:
        """See SingleObjective."""
        distortion = -model.decode(encoded.z).log_prob(x)
        cost = rate(encoded.q, encoded.prior, encoded.z)
        loss = distortion + self.weight * (cost.mean() - self.capacity(step)).abs()
        return {"loss": loss, "elbo": -(distortion + cost), "distortion": distortion, "rate": cost}
