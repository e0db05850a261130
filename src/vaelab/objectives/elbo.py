"""The evidence lower bound, with a weight on the rate."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vaelab import ranks
from vaelab.catalogue import name_of
from vaelab.distributions import rate, rate_per_latent
from vaelab.errors import InputError
from vaelab.models import Model, ModelConfig
from vaelab.objectives._base import SingleObjective, Terms
from vaelab.penalties import Encoded
from vaelab.schedules import Ramp, Time
from vaelab.settings.ranges import AtLeast0, NotNegative
from vaelab.shapes import Images


@dataclass(frozen=True, kw_only=True)
class ELBO(SingleObjective):
    """Distortion plus weighted rate; with weight 1 and no penalties, minus the evidence lower bound.

        loss = -E_q[log p(x|z)] + rate_weight(step) * KL(q(z|x) || p(z)) + sum over penalties of weight * cost

    Weight 1 is the VAE, above 1 the beta-VAE, 0 the plain autoencoder (its code is the posterior mean, without noise).
    With a penalty it is, by its name, the InfoMax VAE (mutual_information), beta-TC-VAE (total_correlation), FactorVAE
    (factor), DIP-VAE (dip) and so on.

    *Source*: Kingma and Welling 2014 (https://arxiv.org/abs/1312.6114); Higgins et al. 2017 (beta);
    Bowman et al. 2016 (warm-up, https://arxiv.org/abs/1511.06349); Fu et al. 2019 (cycles, https://arxiv.org/abs/1903.10145);
    Kingma et al. 2016, appendix C.8 (free bits, https://arxiv.org/abs/1606.04934); Jiang et al. 2017 (an autoencoder
    first, https://arxiv.org/abs/1611.05148).

    >>> from vaelab.schedules import time_of
    >>> float(ELBO(warm_up_steps=100).weight(time_of(25)))
    0.25
    """

    rate_weight: NotNegative = 1.0
    """Weight of the rate, beta, in nats per image on both sides."""
    warm_up_steps: AtLeast0 = 0
    """Optimiser steps over which the weight rises in a line from 0."""
    cycle_steps: AtLeast0 = 0
    """Optimiser steps after which the warm-up begins again; 0: never."""
    free_bits: NotNegative = 0.0
    """Nats that each latent's mean rate over the batch may cost nothing."""
    autoencoder_steps: AtLeast0 = 0
    """Steps at the beginning as a plain autoencoder; after them the rate comes in, and a prior that learns begins from
    the codes that were found."""

    def __post_init__(self):
        super().__post_init__()
        if 0 < self.cycle_steps < self.warm_up_steps:
            raise InputError(
                "cycle_steps",
                f"be at least warm_up_steps ({self.warm_up_steps})",
                self.cycle_steps,
                "A cycle holds its warm-up.",
            )

    @property
    def pretrain_steps(self) -> int:
        """See Objective."""
        return self.autoencoder_steps

    def without_schedules(self) -> ELBO:
        """See Objective."""
        return replace(self, warm_up_steps=0, cycle_steps=0, autoencoder_steps=0)

    def check(self, model: ModelConfig) -> None:
        """See Objective."""
        super().check(model)
        prior = getattr(model, "prior", None)
        if self.free_bits and prior is not None and not prior.factorizes:
            got = f"{self.free_bits:g} with the prior {name_of(prior)}, whose latents depend on each other"
            raise InputError("free_bits", "be 0 where a latent has no rate of its own", got)

    @property
    def weight(self) -> Ramp:
        """The rate's weight at t."""
        return Ramp(self.rate_weight, steps=self.warm_up_steps, start=self.autoencoder_steps, cycle=self.cycle_steps)

    def nats(self, model: Model, x: Images, encoded: Encoded, t: Time | None, *, preparing: bool) -> Terms:
        """See SingleObjective."""
        q, prior = encoded.q, encoded.prior
        is_autoencoder = preparing or not self.rate_weight
        distortion = -model.decode(q.mean if is_autoencoder else encoded.z).log_prob(x)
        cost = penalty = rate(q, prior, encoded.z)
        if self.free_bits:
            penalty = ranks.gather(rate_per_latent(q, prior)).mean(0).clamp(min=self.free_bits).sum().expand_as(cost)
        loss = distortion if is_autoencoder else distortion + self.weight(t) * penalty
        return {"loss": loss, "elbo": -(distortion + cost), "distortion": distortion, "rate": cost}
