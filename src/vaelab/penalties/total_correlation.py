"""Total correlation from the posteriors of a batch: beta-TC-VAE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.distributions import Independent

from vaelab.models import Model, ModelConfig
from vaelab.penalties._base import Charge, Encoded, Penalty, Term, TrainingImages
from vaelab.penalties._latents import check_several
from vaelab.schedules import Time
from vaelab.shapes import Latents, PerImage

Estimator = Literal["stratified", "weighted"]
Count = Int[Tensor, ""]
Mixture = Float[Tensor, "image image"]


@dataclass(frozen=True, kw_only=True)
class TotalCorrelation(Penalty):
    """How much the latents of the aggregate posterior q(z) depend on each other, in nats.

        cost = log q(z) - sum over j of log q(z_j),    z ~ q(z|x),    q(z) = mean over the N training images of q(z|x_n)

    With the ELBO (rate weight 1) it makes the beta-TC-VAE of that beta = 1 + weight.

    q(z) is a sum over all training images, of which a batch holds M. It is estimated as a mixture of the batch's
    posteriors, whose weights sum to 1 for each z_i:

        q(z_i) ~ own * q(z_i|x_i) + (1 - own) * mean over the batch's other images of q(z_i|x_m)

    - stratified: own = 1/N, the image's share of q(z), so that q(z_i) and the q(z_ij) have no bias. Their logarithms
      are too low on average, that of q(z_i) most: the cost is mostly too low, and may be below 0.
    - weighted: own = 1/M, so that it is the total correlation of the batch's own aggregate posterior. In the mean it
      lies between 0 and (latents - 1) * ln M, mostly too high: few narrow posteriors make no smooth q(z).

    Both are exact when the batch is the whole data set.

    Chen et al. give one of the other images, chosen at random, a lower weight in stratified sampling; this is the mean
    over that choice. In weighted sampling their weights sum to 1/N, not 1, which makes each log density ln N too low.
    The gradient is the same, but the value is (latents - 1) * ln N nats higher: 122 for 10 latents and 737,280 images.

    *Source*: Chen et al. 2018, section 4 and appendix C (https://arxiv.org/abs/1802.04942).

    >>> beta = 6.0
    >>> TotalCorrelation(weight=beta - 1)
    TotalCorrelation(weight=5.0, estimator='stratified')
    """

    known_as: ClassVar[str] = "beta-TC-VAE"
    words: ClassVar = {
        "total_correlation": Term("Total correlation", "dependence between the latents", "nats", "Penalties")
    }

    estimator: Estimator = "stratified"
    """How q(z) is estimated from a batch. stratified: the image's own posterior weighs 1/N; weighted: 1/M."""

    def check(self, model: ModelConfig) -> None:
        """See Penalty."""
        check_several(model, "total_correlation")

    def build(self, model: Model, images: TrainingImages, source_shape: tuple[int, ...]) -> nn.Module:
        """Holds how many images there are. See Penalty."""
        companion = nn.Module()
        companion.register_buffer("num_images", torch.tensor(len(images.train)))
        return companion

    def __call__(self, model: Model, encoded: Encoded, companion: nn.Module, t: Time | None) -> Charge:
        """See Penalty. Held-out images are taken for draws from a set of as many images as there are in training."""
        weights = mixture_weights(encoded.z, companion.get_buffer("num_images"), self.estimator)
        cost = log_density_ratio(encoded.q, encoded.z, weights)
        return Charge(cost=cost, reports={"total_correlation": cost.detach().mean()})


def mixture_weights(z: Latents, num_images: Count, estimator: Estimator) -> Mixture:
    """What each posterior of the batch (column) weighs in q(z) at each draw (row); rows sum to 1.

    An image that is alone in its batch stands for all.

    >>> mixture_weights(torch.zeros(3, 2), torch.tensor(10), "stratified")
    tensor([[0.1000, 0.4500, 0.4500],
            [0.4500, 0.1000, 0.4500],
            [0.4500, 0.4500, 0.1000]])
    """
    batch_size = len(z)
    known = torch.full_like(num_images, batch_size) if estimator == "weighted" or batch_size == 1 else num_images
    own = known.to(z.dtype).reciprocal()
    others = (1 - own) / max(batch_size - 1, 1)
    return torch.where(torch.eye(batch_size, dtype=torch.bool, device=z.device), own, others)


def log_density_ratio(q: Independent, z: Latents, weights: Mixture) -> PerImage:
    """log q(z) - sum over j of log q(z_j) at each draw, q(z) being the weighted mixture of the batch's posteriors.

    Memory: image^2 * latent numbers.
    """
    log_weights = weights.log()
    log_densities = q.base_dist.log_prob(z[:, None])
    joint = (log_weights + log_densities.sum(2)).logsumexp(1)
    marginals = (log_weights[:, :, None] + log_densities).logsumexp(1)
    return joint - marginals.sum(1)
