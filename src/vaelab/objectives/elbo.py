"""The evidence lower bound, with a weight on the rate."""

from __future__ import annotations

from dataclasses import dataclass

from vaelab.distributions import rate, rate_per_latent
from vaelab.errors import InputError
from vaelab.models import Model
from vaelab.objectives._base import Objective, Terms
from vaelab.shapes import Images


@dataclass(frozen=True, kw_only=True)
class ELBO(Objective):
    """Distortion plus weighted rate; with weight 1, minus the evidence lower bound.

        loss = -E_q[log p(x|z)] + rate_weight(step) * KL(q(z|x) || p(z))

    Weight 1 is the VAE, above 1 the beta-VAE, 0 the plain autoencoder (its code is the posterior mean, without noise).

    *Source*: Kingma and Welling 2014 (https://arxiv.org/abs/1312.6114); Higgins et al. 2017 (beta);
    Bowman et al. 2016 (warm-up, https://arxiv.org/abs/1511.06349); Fu et al. 2019 (cycles, https://arxiv.org/abs/1903.10145);
    Kingma et al. 2016, appendix C.8 (free bits, https://arxiv.org/abs/1606.04934).

    >>> ELBO(rate_weight=4, warm_up_steps=100).weight(step=25)
    1.0
    """

    rate_weight: float = 1.0
    """Weight of the rate, beta: 0 or more. All terms are in nats per image, so 1 is the ELBO itself."""
    warm_up_steps: int = 0
    """Optimiser steps over which the weight rises in a line from 0; 0: none."""
    cycle_steps: int = 0
    """The warm-up begins again every so many steps; 0: it happens once."""
    free_bits: float = 0.0
    """Nats per latent, on average over the batch, that cost nothing; 0 or more."""

    def __post_init__(self):
        for name in ("rate_weight", "warm_up_steps", "cycle_steps", "free_bits"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(f"objective.{name}", "be 0 or more and finite", getattr(self, name))
        if 0 < self.cycle_steps < self.warm_up_steps:
            raise InputError(
                "objective.cycle_steps",
                f"be at least objective.warm_up_steps ({self.warm_up_steps})",
                self.cycle_steps,
                "A cycle holds its warm-up.",
            )

    def weight(self, step: int | None) -> float:
        """The rate's weight after so many optimiser steps; None: at the end of its schedule."""
        if step is None or not self.warm_up_steps:
            return self.rate_weight
        if self.cycle_steps:
            step %= self.cycle_steps
        return self.rate_weight * min(1.0, step / self.warm_up_steps)

    def __call__(self, model: Model, x: Images, step: int | None) -> Terms:
        """See Objective."""
        q = model.encode(x)
        z = q.rsample() if self.rate_weight else q.mean
        distortion = -model.decode(z).log_prob(x)
        cost = penalty = rate(q, model.prior, z)
        if self.free_bits:
            penalty = rate_per_latent(q, model.prior).mean(0).clamp(min=self.free_bits).sum().expand_as(cost)
        weight = self.weight(step)
        loss = distortion + weight * penalty if weight else distortion
        return {"loss": loss, "elbo": -(distortion + cost), "distortion": distortion, "rate": cost}
