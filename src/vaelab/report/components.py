"""What each component of a mixture prior draws."""

from __future__ import annotations

import numpy as np
import torch
from torch.distributions import Independent, MixtureSameFamily

from vaelab.distributions.mixture import responsibilities
from vaelab.inference import Embedding, decode_mean
from vaelab.models import Model, local_randomness
from vaelab.priors import Prior
from vaelab.priors.mixture import MixturePrior
from vaelab.report.evidence import Components

MOST_COMPONENTS, NUM_SAMPLES = 20, 12


def draw_components(model: Model, config: Prior | None, embedding: Embedding, seed: int) -> Components | None:
    """Images from each component, the heaviest first; None where the prior is no mixture of Gaussians.

    Args:
        model: Under one condition, if it takes any.
        config: The setting of its prior.
        embedding: Of the images that are counted.
        seed: Of the draws.
    """
    prior = model.prior
    if not (isinstance(config, MixturePrior) and isinstance(prior, MixtureSameFamily)):
        return None
    parts = prior.component_distribution
    assert isinstance(parts, Independent)
    with torch.no_grad(), local_randomness(seed, torch.device("cpu")):
        weights = prior.mixture_distribution.probs.numpy(force=True)
        numbers = np.argsort(-weights, kind="stable")[:MOST_COMPONENTS]
        nearest = responsibilities(prior, torch.from_numpy(embedding.loc)).argmax(1).numpy()
        z = parts.sample(torch.Size([NUM_SAMPLES])).transpose(0, 1)[torch.from_numpy(numbers)]
    drawn = decode_mean(model, z.flatten(0, 1))
    return Components(
        numbers=numbers,
        weights=weights[numbers],
        counts=np.bincount(nearest, minlength=len(weights))[numbers],
        samples=drawn.reshape(len(numbers), NUM_SAMPLES, *drawn.shape[1:]),
        total=len(weights),
    )
