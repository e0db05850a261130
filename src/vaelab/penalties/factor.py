"""Total correlation by a discriminator: FactorVAE."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from vaelab.models import Model, ModelConfig
from vaelab.penalties._base import Charge, Encoded, Penalty, Term, TrainingImages
from vaelab.penalties._latents import check_several
from vaelab.schedules import Time
from vaelab.settings.ranges import AtLeast1
from vaelab.shapes import Latents, Scalar


@dataclass(frozen=True, kw_only=True)
class Factor(Penalty):
    """The total correlation of q(z), by a network that tells q(z) from the product of its marginals.

        cost = log D(z) - log(1 - D(z)),    z ~ q(z|x)
        D minimises -1/2 E_q(z)[log D(z)] - 1/2 E_product[log(1 - D(z))]

    D(z) is the probability that z is a draw of q(z), not of the product of the q(z_j). Draws of the product are the
    batch's own, each latent permuted over the images on its own. For the best D the cost's mean over q(z) is the total
    correlation in nats; a D that lags behind the model, or is small, mostly says too little, even less than 0.

    The weight is the paper's gamma. There D learns by Adam with rate 1e-4 and betas 0.5 and 0.9.

    *Source*: Kim and Mnih 2018, algorithm 2 and appendix A (https://arxiv.org/abs/1802.05983).

    >>> Factor().hidden
    (1000, 1000, 1000, 1000, 1000, 1000)
    """

    known_as: ClassVar[str] = "FactorVAE"
    words: ClassVar = {
        "factor_total_correlation": Term("Total correlation by a discriminator", "FactorVAE", "nats", "Penalties"),
    }

    hidden: tuple[AtLeast1, ...] = (1000,) * 6
    """Widths of the discriminator's hidden layers."""

    def check(self, model: ModelConfig) -> None:
        """See Penalty."""
        check_several(model, "factor")

    def build(self, model: Model, images: TrainingImages, source_shape: tuple[int, ...]) -> nn.Module:
        """The discriminator: from latents to the logits of the product and of q(z). See Penalty."""
        widths = (model.latent_dim, *self.hidden)
        layers = [m for a, b in pairwise(widths) for m in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
        return nn.Sequential(*layers, nn.Linear(widths[-1], 2))

    def __call__(self, model: Model, encoded: Encoded, companion: nn.Module, t: Time | None) -> Charge:
        """See Penalty."""
        logits = companion(encoded.z)
        cost = logits[:, 1] - logits[:, 0]
        return Charge(cost=cost, reports={"factor_total_correlation": cost.detach().mean()})

    def critic_loss(self, encoded: Encoded, companion: nn.Module) -> Scalar:
        """The cross entropy, in nats, of the batch's draws against the same with their latents permuted."""
        draws = torch.cat([encoded.z, permuted(encoded.z)])
        labels = torch.arange(2, device=draws.device).flip(0).repeat_interleave(len(encoded.z))
        return cross_entropy(companion(draws), labels)


def permuted(z: Latents) -> Latents:
    """Each latent permuted over the images, independently of the others."""
    return z.gather(0, torch.rand_like(z).argsort(0))
