"""A reward for what latents say of the image."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import ClassVar, cast

from torch import nn

from vaelab.bounds import Bound, Estimator, Scores
from vaelab.bounds.interpolated import Interpolated
from vaelab.critics import Critic
from vaelab.critics.separable import SeparableCritic
from vaelab.errors import InputError
from vaelab.models import Model
from vaelab.penalties._base import Charge, Encoded, Penalty, Term, TrainingImages
from vaelab.schedules import Time
from vaelab.shapes import Scalar


@dataclass(frozen=True, kw_only=True)
class MutualInformation(Penalty):
    """Minus the mutual information between the image and its latents: the InfoMax-VAE.

        cost = -I(x; z),  z ~ q(z|x),  estimated by a bound on the scores of a critic that learns beside the model

    In the second stage of a double embed it is I(z1; z2). The weight is the alpha of the InfoMax-VAE and of study 1.
    The cost's value is minus the bound's, in nats; its gradient is that of the bound's surrogate. Of a whole batch it
    is one number, so batches are of 2 images or more.

    The default bound holds on average whatever the critic, unlike SMILE, and has a ceiling above InfoNCE's log(batch).
    What marginal pairs take off it is below 1 / alpha, so it stays steady where an encoder that the rate does not hold
    back runs away with Donsker-Varadhan or NWJ. The value is that of a batch, and of a critic that may still lag
    behind; the metric `mutual_information` of a trained model needs no critic.

    *Source*: Lotfi Rezaabad and Vishwanath 2020 (https://arxiv.org/abs/1912.13361).

    >>> MutualInformation(weight=0.5).critic.num_negatives(32)
    31
    """

    known_as: ClassVar[str] = "InfoMax"
    words: ClassVar = {
        "mutual_information": Term("Mutual information", "the critic's bound; dashed: its ceiling", "nats", "Penalties")
    }

    bound: Bound = field(default_factory=Interpolated)
    """The bound on I, in nats."""
    critic: Critic = field(default_factory=SeparableCritic)
    """The network that scores pairs (x, z)."""

    def build(self, model: Model, images: TrainingImages, source_shape: tuple[int, ...]) -> nn.Module:
        """See Penalty."""
        return _Companion(self.critic.build(source_shape, model.latent_dim), self.bound.build())

    def __call__(self, model: Model, encoded: Encoded, companion: nn.Module, t: Time | None) -> Charge:
        """See Penalty. A single held-out image shows nothing: 0 nats.

        Raises:
            InputError: A batch of one image is to be trained on.
        """
        if len(encoded.z) == 1:
            return _of_one_image(encoded, t)
        estimator, scores = _judged(companion, encoded)
        value = estimator(scores).detach()
        cost = -value
        if t is not None:
            surrogate = estimator.surrogate(scores)
            cost = cost - (surrogate - surrogate.detach())
        ceiling = self.bound.ceiling(self.critic.num_negatives(len(encoded.z)))
        known = {"mutual_information_ceiling": ceiling} if isfinite(ceiling) else {}
        return Charge(cost=cost, reports={"mutual_information": value, **known})

    def critic_loss(self, encoded: Encoded, companion: nn.Module) -> Scalar:
        """See Penalty."""
        estimator, scores = _judged(companion, encoded)
        return -estimator.surrogate(scores)


class _Companion(nn.Module):
    def __init__(self, critic: nn.Module, estimator: Estimator):
        super().__init__()
        self.critic, self.estimator = critic, estimator


def _judged(companion: nn.Module, encoded: Encoded) -> tuple[Estimator, Scores]:
    held = cast(_Companion, companion)
    return held.estimator, held.critic(encoded.source, encoded.z)


def _of_one_image(encoded: Encoded, t: Time | None) -> Charge:
    if t is not None:
        mend = "An image's mutual information is judged by the others of its batch; take a larger batch size."
        raise InputError("the batch", "hold at least 2 images for mutual information", 1, mend)
    return Charge(cost=0.0 * encoded.z.sum(), reports={"mutual_information": 0.0})
