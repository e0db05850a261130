"""What kind of model a run has, in words."""

from __future__ import annotations

from vaelab.catalogue import name_of
from vaelab.experiment import Experiment
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.objectives.two_stage import TwoStageObjective

KINDS = {"vae": "variational autoencoder", "two_stage": "two-stage variational autoencoder"}
FAMILIES = {
    "mixture": "VaDE", "vamp": "VampPrior", "importance_weighted": "IWAE",
    "mutual_information": "InfoMax", "total_correlation": "beta-TC-VAE", "factor": "FactorVAE", "dip": "DIP-VAE",
    "hsic": "HSIC", "guidance": "guided",
}  # fmt: skip
"""By the name of the part that makes a model one of them."""


def kind_of(experiment: Experiment) -> str:
    """Such as ``A conditional two-stage variational autoencoder (InfoMax)``."""
    model, objective = experiment.model, experiment.objective
    objectives = (objective.first, objective.second) if isinstance(objective, TwoStageObjective) else (objective,)
    stages = (model.first, model.second) if isinstance(model, TwoStageConfig) else (model,)
    priors = [stage.prior for stage in stages if isinstance(stage, VAEConfig)]
    parts = [*priors, *objectives, *(penalty for each in objectives for penalty in getattr(each, "penalties", ()))]
    families = list(dict.fromkeys(FAMILIES[name] for name in map(name_of, parts) if name in FAMILIES))
    kind = KINDS.get(name_of(model), f"{name_of(model).replace('_', ' ')} model")
    named = f" ({', '.join(families)})" if families else ""
    return f"A {'conditional ' if experiment.data.condition else ''}{kind}{named}"
