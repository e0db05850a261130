"""Models: prior, encode, decode. One file, one model."""

from __future__ import annotations

from vaelab.models._base import Conditions, Model, ModelConfig, models_in
from vaelab.models._still import device_of, evaluating, in_evaluation_mode, local_randomness
from vaelab.models.two_stage import TwoStage, TwoStageConfig
from vaelab.models.vae import VAE, VAEConfig

__all__ = [
    "VAE",
    "Conditions",
    "Model",
    "ModelConfig",
    "TwoStage",
    "TwoStageConfig",
    "VAEConfig",
    "device_of",
    "evaluating",
    "in_evaluation_mode",
    "local_randomness",
    "models_in",
]
