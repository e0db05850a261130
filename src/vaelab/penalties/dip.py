"""The latents' covariance drawn to the identity: DIP-VAE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Independent

from vaelab.models import Model
from vaelab.penalties._base import Charge, Encoded, Penalty, Term
from vaelab.schedules import Time
from vaelab.settings.ranges import NotNegative

Variant = Literal["I", "II"]
Matrix = Float[Tensor, "latent latent"]


@dataclass(frozen=True, kw_only=True)
class DIP(Penalty):
    """The squared distance of the latents' covariance from the identity, off the diagonal and on it.

        cost = sum over i != j of C_ij^2 + diagonal_ratio * sum over i of (C_ii - 1)^2
        I:  C = Cov_x[mu(x)]            II:  C = Cov_x[mu(x)] + E_x[Sigma(x)] = Cov_q(z)[z]

    In the paper's symbols weight is lambda_od, and weight * diagonal_ratio is lambda_d.

    C is taken over the batch, as the mean over its M images. Latents that are independent over all images still have
    covariances in a batch, so that the cost does not fall below about the sum over i != j of C_ii C_jj / M.

    *Source*: Kumar et al. 2018, equations 6 and 7 (https://arxiv.org/abs/1711.00848).

    >>> lambda_od, lambda_d = 10.0, 50.0
    >>> DIP(variant="II", weight=lambda_od, diagonal_ratio=lambda_d / lambda_od)
    DIP(weight=10.0, variant='II', diagonal_ratio=5.0)
    """

    known_as: ClassVar[str] = "DIP-VAE"
    words: ClassVar = {
        "dip_off_diagonal": Term("Covariances", "DIP-VAE: sum of their squares", "squared covariance", "Penalties"),
        "dip_diagonal": Term("Variances away from 1", "DIP-VAE: sum of squares", "squared variance", "Penalties"),
    }

    variant: Variant = "II"
    """Of which covariance it speaks. I: of the posteriors' means; II: of the latents themselves, drawn from q(z)."""
    diagonal_ratio: NotNegative = 10.0
    """What the diagonal weighs beside the rest, lambda_d / lambda_od."""

    def __call__(self, model: Model, encoded: Encoded, companion: nn.Module, t: Time | None) -> Charge:
        """See Penalty."""
        matrix = covariance(encoded.q, self.variant)
        variances = matrix.diagonal()
        off_diagonal = (matrix - torch.diag(variances)).square().sum()
        diagonal = (variances - 1).square().sum()
        return Charge(
            cost=off_diagonal + self.diagonal_ratio * diagonal,
            reports={"dip_off_diagonal": off_diagonal.detach(), "dip_diagonal": diagonal.detach()},
        )


def covariance(q: Independent, variant: Variant) -> Matrix:
    """The covariance over a batch of the posteriors' means (I), or of a draw from one of the posteriors (II)."""
    centered = q.mean - q.mean.mean(0)
    matrix = centered.T @ centered / len(centered)
    return matrix if variant == "I" else matrix + torch.diag(q.variance.mean(0))
