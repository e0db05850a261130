"""Models: prior, encode, decode. One file, one model."""

from __future__ import annotations

from vaelab.models._base import Model, ModelConfig
from vaelab.models.vae import VAE, VAEConfig

__all__ = ["VAE", "Model", "ModelConfig", "VAEConfig"]
