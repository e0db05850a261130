"""The dependence between pairs of latents by kernels: HSIC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from vaelab.models import Model, ModelConfig
from vaelab.penalties._base import Charge, Encoded, Penalty, Term
from vaelab.penalties._latents import check_several
from vaelab.schedules import Time
from vaelab.settings.ranges import Positive
from vaelab.shapes import Latents

Matrix = Float[Tensor, "latent latent"]


@dataclass(frozen=True, kw_only=True)
class HSIC(Penalty):
    """The Hilbert-Schmidt independence criterion of each pair of latents, summed over pairs.

        cost = sum over i < j of tr(K_i H K_j H) / M^2,    H = I - 1 1' / M
        K_i(a, b) = exp(-(z_ai - z_bi)^2 / (2 bandwidth^2 v_i)),    v_i = variance of latent i over the batch

    It sees every kind of dependence: in the limit of large batches it is 0 if and only if all pairs are independent.
    It doesn't change when a latent is shifted or stretched. For M images it is never negative; a pair of independent
    latents shows about (1 - mean of K_i) (1 - mean of K_j) / M, the means being over pairs of images.

    *Source*: Gretton et al. 2005, Measuring statistical dependence with Hilbert-Schmidt norms, definition 2
    (https://doi.org/10.1007/11564089_7), with M^2 for (M - 1)^2; such a criterion in a VAE: Lopez et al. 2018
    (https://arxiv.org/abs/1805.08672).

    >>> import torch
    >>> z = torch.linspace(-1, 1, 101)
    >>> matrix = hsic(torch.stack([z, z**2, z.roll(37)], 1))
    >>> bool(matrix[0, 1] > 0.01)  # dependent, although their covariance is 0
    True
    """

    known_as: ClassVar[str] = "HSIC"
    words: ClassVar = {"hsic": Term("HSIC", "dependence between pairs of latents", "sum over pairs", "Penalties")}

    bandwidth: Positive = 1.0
    """The Gaussian kernel's standard deviation, in units of that of the latent over the batch. 1 is nearly
    the median distance, by which bandwidths are often set: for a normal latent that is 0.95."""

    def check(self, model: ModelConfig) -> None:
        """See Penalty."""
        check_several(model, "hsic")

    def __call__(self, model: Model, encoded: Encoded, companion: nn.Module, t: Time | None) -> Charge:
        """See Penalty."""
        cost = hsic(encoded.z, self.bandwidth).triu(1).sum()
        return Charge(cost=cost, reports={"hsic": cost.detach()})


def hsic(z: Latents, bandwidth: float = 1.0) -> Matrix:
    """The criterion of every pair of latents, from a batch of draws. Memory: latent * image^2 numbers."""
    variances = bandwidth**2 * z.var(0, correction=0).clamp(min=1e-12)
    columns = z.T[:, :, None]
    kernels = (-(columns - columns.mT).square() / (2 * variances[:, None, None])).exp()
    rows = kernels.mean(2, keepdim=True)
    centered = (kernels - rows - rows.mT + rows.mean(1, keepdim=True)).flatten(1)
    return centered @ centered.T / len(z) ** 2
