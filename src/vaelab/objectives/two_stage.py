"""What a two-stage VAE minimises: the objectives of both stages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from torch import nn

from vaelab.catalogue import name_of
from vaelab.errors import InputError, unknown_name
from vaelab.models import Model, ModelConfig, TwoStage
from vaelab.objectives._base import Objective, SingleObjective, Staged, encoded_by
from vaelab.objectives.elbo import ELBO
from vaelab.penalties import Encoded, Penalty, TrainingImages
from vaelab.schedules import Time
from vaelab.settings.ranges import AtLeast0, Positive
from vaelab.shapes import Images, Noise, Scalar


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
    single embed and MI(z1, z2) in a double one. The whole has ``loss`` and ``penalty``, each stage its own terms.

    *Source*: Meeting notes on an InfoMax VAE of cell images, 2020; InfoMax: Rezaabad and Vishwanath 2020
    (https://arxiv.org/abs/1912.13361).
    """

    first: SingleObjective = field(default_factory=ELBO)
    """What the first stage minimises."""
    second: SingleObjective = field(default_factory=ELBO)
    """What the second stage minimises."""
    first_weight: Positive = 0.8
    """Weight of the first stage's loss, gamma."""
    first_alone_steps: AtLeast0 = 0
    """Steps at the beginning in which only the first stage is trained."""

    @property
    def pretrain_steps(self) -> int:
        """See Objective."""
        return self.first_alone_steps

    @property
    def by_stage(self) -> dict[str, SingleObjective]:
        """See Objective."""
        return {"first": self.first, "second": self.second}

    def check(self, model: ModelConfig) -> None:
        """See Objective."""
        stages = model.stages()
        if stages.keys() != self.by_stage.keys():
            raise InputError("objective two_stage", "have a model of two stages", name_of(model), "Take two_stage.")
        for stage, objective in self.by_stage.items():
            with objective.named(stage):
                objective.check(stages[stage])
            if objective.pretrain_steps:
                mend = "Set first_alone_steps instead."
                raise InputError(stage, "have no preparation of its own", "one that has", mend)

    def without_schedules(self) -> TwoStageObjective:
        """See Objective."""
        first, second = self.first.without_schedules(), self.second.without_schedules()
        return replace(self, first=first, second=second, first_alone_steps=0)

    def with_penalty(self, penalty: Penalty, stage: str | None = None) -> TwoStageObjective:
        """See Objective."""
        stage = stage or "second"
        if stage not in self.by_stage:
            raise unknown_name("the stage", stage, self.by_stage)
        return replace(self, **{stage: self.by_stage[stage].with_penalty(penalty)})

    def build(self, model: Model, images: TrainingImages) -> nn.Module:
        """See Objective."""
        stages = _both(model).stages()
        return nn.ModuleDict({name: part.build(stages[name], images) for name, part in self.by_stage.items()})

    def noise_dims(self, model: Model) -> tuple[int, ...]:
        """See Objective: what the second stage reads, if that is a sample; then one of each stage."""
        model = _both(model)
        read = (model.first.latent_dim,) if model.training and model.embed == "double" else ()
        return (*read, *self.first.noise_dims(model.first), *self.second.noise_dims(model))

    def encode(self, model: Model, x: Images, noise: Noise) -> EncodedByBoth:
        """See Objective."""
        model = _both(model)
        own = sum(self.first.noise_dims(model.first)), sum(self.second.noise_dims(model))
        read, first, second = noise.split([noise.shape[1] - sum(own), *own], 1)
        both = model.encode_both(x, read if read.shape[1] else None)
        coded = x if model.embed == "single" else both.source
        return EncodedByBoth(
            encoded_by(both.first, x, model.first, first), encoded_by(both.second, coded, model, second)
        )

    def terms(
        self,
        model: Model,
        x: Images,
        encoded: EncodedByBoth,
        t: Time | None,
        companions: nn.Module,
        *,
        preparing: bool = False,
    ) -> Staged:
        """See Objective."""
        first = self.first.terms(_both(model).first, x, encoded.first, t, companions.get_submodule("first"))[""]
        second = self.second.terms(model, x, encoded.second, t, companions.get_submodule("second"))[""]
        weighted = self.first_weight * first["loss"]
        whole = {"loss": weighted if preparing else second["loss"] + weighted}
        if "penalty" in first or "penalty" in second:
            mine = 0.0 if preparing else second.get("penalty", 0.0)
            whole["penalty"] = mine + self.first_weight * first.get("penalty", 0 * weighted)
        return {"": whole, "first": first, "second": second}

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
