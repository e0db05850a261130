"""Importance weights whose draws follow from the samples themselves."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from vaelab.distributions import sample_with
from vaelab.models import Model
from vaelab.shapes import Images


def log_weights(model: Model, x: Images, num_draws: int, seed: int, at_once: int) -> np.ndarray:
    """(draw, sample), nats: log p(x|z) + log p(z) - log q(z|x) for draws z of q(z|x); -inf where there is no p(x|z).

    Args:
        model: The model.
        x: Images, on the model's device.
        num_draws: Draws for each image.
        seed: Of the draws, beside the image's own values.
        at_once: Draws that go through the decoder at once.
    """
    q = model.encode(x)
    found = []
    for noise in _noise(x, num_draws, model.latent_dim, seed).split(max(1, at_once // len(x))):
        z = sample_with(q, noise)
        p, repeated = model.decode(z.flatten(0, 1)), x.repeat(len(z), 1, 1, 1)
        inside = _support(model, p).check(repeated).flatten(1).all(1)
        likelihood = torch.where(inside, p.log_prob(repeated), -torch.inf).view(len(z), len(x))
        found.append(likelihood + model.prior.log_prob(z) - q.log_prob(z))
    return torch.cat(found).cpu().numpy()


def _support(model: Model, p: Distribution) -> constraints.Constraint:
    """Where p gives probability; a value between two grey levels counts as the level that it falls on."""
    support = constraints.unit_interval if model.likelihood.space == "levels" else p.support
    assert isinstance(support, constraints.Constraint)
    return support


def _noise(x: Images, num_draws: int, latent_dim: int, seed: int) -> Tensor:
    """(draw, sample, latent), standard normal: the same for the same image, whichever others are beside it."""
    keys = [zlib.crc32(image.tobytes()) for image in x.numpy(force=True)]
    noise = [np.random.default_rng([seed, key]).standard_normal((num_draws, latent_dim)) for key in keys]
    return torch.from_numpy(np.stack(noise, 1)).to(x)
