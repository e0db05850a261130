"""Products of the posterior means of two latents: the entanglement loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from vaelab.models import Model, ModelConfig
from vaelab.penalties._base import Charge, Encoded, Penalty, Term
from vaelab.penalties._latents import check_several
from vaelab.schedules import Time


@dataclass(frozen=True, kw_only=True)
class Entanglement(Penalty):
    """The mean over pairs of latents of |mu_i mu_j|, image by image, mu being the posterior mean.

        cost = 2 / (d (d - 1)) * sum over i < j of |mu_i mu_j|

    It is no covariance: the means are neither centred nor averaged over images before they are multiplied, so it also
    pulls latents to zero that are independent of each other. DIP, TotalCorrelation and HSIC measure dependence.

    *Source*: the blog series of 2021 that vaelab's study of a known latent space repeats; weight 0.0001 there, where
    errors were averaged over pixels.

    >>> Entanglement(weight=0.1).weight
    0.1
    """

    words: ClassVar = {
        "entanglement": Term("Entanglement", "mean |product| of two posterior means", "squared latents", "Penalties")
    }

    def check(self, model: ModelConfig) -> None:
        """See Penalty."""
        check_several(model, "entanglement")

    def __call__(self, model: Model, encoded: Encoded, companion: nn.Module, t: Time | None) -> Charge:
        """See Penalty."""
        sizes = encoded.q.mean.abs()
        latent_dim = sizes.shape[1]
        products = (sizes[:, 1:] * sizes.cumsum(1)[:, :-1]).sum(1)
        cost = 2 / (latent_dim * (latent_dim - 1)) * products
        return Charge(cost=cost, reports={"entanglement": cost.detach().mean()})
