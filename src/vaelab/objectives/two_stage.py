"""What a two-stage VAE minimises: the objectives of both stages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from torch import nn

from vaelab.catalogue import name_of
from vaelab.errors import InputError
from vaelab.models import Model, ModelConfig, TwoStage, TwoStageConfig
from vaelab.objectives._base import Objective, SingleObjective, Terms
from vaelab.objectives.elbo import ELBO
from vaelab.penalties import Encoded, TrainingImages
from vaelab.shapes import Images, Scalar


class EncodedByBoth(NamedTuple):
    """A batch on its way through both stages."""

    first: Encoded
    second: Encoded


@dataclass(frozen=True, kw_only=True)
class TwoStageObjective(Objective[EncodedByBoth]):
    """The second stage's objective plus the weighted first's.

        loss = second(x) + first_weight * first(x)

    With both an `elbo` with the penalty `mutual_information` that is
    (rec(x, x2) + beta2 KL2 - alpha2 MI2) + gamma (rec(x, x1) + beta1 KL1 - alpha1 MI1), where MI2 is MI(x, z2) in a
    single embed and MI(z1, z2) in a double one. Terms of the first stage begin with ``first_``, those of the second
    have plain names.

    *Source*: Meeting notes on an InfoMax VAE of cell images, 2020; InfoMax: Rezaabad and Vishwanath 2020
    (https://arxiv.org/abs/1912.13361).
    """

    first: SingleObjective = field(default_factory=ELBO)
    """What the first stage minimises."""
    second: SingleObjective = field(default_factory=ELBO)
    """What the second stage minimises."""
    first_weight: float = 0.8
    """Weight of the first stage's loss, gamma: above 0."""
    first_alone_steps: int = 0
    """Steps at the beginning in which only the first stage is trained."""

    def __post_init__(self):
        if not 0 < self.first_weight < float("inf"):
            raise InputError("objective.first_weight", "be positive and finite", self.first_weight)
        if self.first_alone_steps < 0:
            raise InputError("objective.first_alone_steps", "be 0 or more", self.first_alone_steps)

    @property
    def pretrain_steps(self) -> int:
        """See Objective."""
        return self.first_alone_steps

    def check(self, model: ModelConfig) -> None:
        """See Objective."""
        if not isinstance(model, TwoStageConfig):
            raise InputError("objective two_stage", "have a model of two stages", name_of(model), "Take two_stage.")
        self.first.check(model.first)
        self.second.check(model.second)
        for stage, objective in (("first", self.first), ("second", self.second)):
            if objective.pretrain_steps:
                mend = "Set objective.first_alone_steps instead."
                raise InputError(f"objective.{stage}", "have no preparation of its own", "one that has", mend)

    def without_schedules(self) -> TwoStageObjective:
        """See Objective."""
        first, second = self.first.without_schedules(), self.second.without_schedules()
        return replace(self, first=first, second=second, first_alone_steps=0)

    def build(self, model: Model, images: TrainingImages) -> nn.Module:
        """See Objective."""
        stages = {"first": (self.first, _both(model).first), "second": (self.second, model)}
        return nn.ModuleDict({name: part.build(stage, images) for name, (part, stage) in stages.items()})

    def encode(self, model: Model, x: Images) -> EncodedByBoth:
        """See Objective."""
        model = _both(model)
        both = model.encode_both(x)
        first = Encoded(x, both.first, both.first.rsample(), model.first.prior)
        coded = x if model.embed == "single" else both.source
        return EncodedByBoth(first, Encoded(coded, both.second, both.second.rsample(), model.prior))

    def terms(self, model: Model, x: Images, encoded: EncodedByBoth, step: int | None, companions: nn.Module) -> Terms:
        """See Objective."""
        alone = step is not None and step < self.first_alone_steps
        first = self.first.terms(_both(model).first, x, encoded.first, step, companions.get_submodule("first"))
        second = self.second.terms(model, x, encoded.second, step, companions.get_submodule("second"))
        weighted = self.first_weight * first["loss"]
        terms = {**second, "loss": weighted if alone else second["loss"] + weighted}
        if "penalty" in first or "penalty" in second:
            mine = 0.0 if alone else second.get("penalty", 0.0)
            terms["penalty"] = mine + self.first_weight * first.get("penalty", 0 * weighted)
        return terms | {f"first_{name}": value for name, value in first.items() if name != "penalty"}

    def critic_loss(self, encoded: EncodedByBoth, companions: nn.Module) -> Scalar | None:
        """See Objective."""
        first = self.first.critic_loss(encoded.first, companions.get_submodule("first"))
        second = self.second.critic_loss(encoded.second, companions.get_submodule("second"))
        if first is None or second is None:
            return second if first is None else first
        return first + second


def _both(model: Model) -> TwoStage:
    if not isinstance(model, TwoStage):
        raise InputError("objective two_stage", "have a model of two stages", type(model).__name__)
    return model
