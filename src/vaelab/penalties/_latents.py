"""What penalties on the dependence between latents ask of a model."""

from __future__ import annotations

from vaelab.errors import InputError
from vaelab.models import ModelConfig, VAEConfig


def check_several(model: ModelConfig, penalty: str) -> None:
    """Refuses a model with one latent, noise latents not counted."""
    if not isinstance(model, VAEConfig):
        return
    coded = model.latent_dim - model.noise_latents
    if coded < 2:
        should = f"be 2 or more, noise latents not counted, with the {penalty} penalty"
        raise InputError("model.latent_dim", should, coded, "One latent has no other to depend on.")
