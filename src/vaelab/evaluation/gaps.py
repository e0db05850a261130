"""What is lost between log p(x) and the ELBO: to the family of posteriors, and to the encoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch.distributions import Distribution

from vaelab.evaluation._annealing import annealed
from vaelab.evaluation._evaluate import all_metrics, measure_arrays
from vaelab.evaluation._importance import ImportanceSums, apart, check_num_samples, draws
from vaelab.evaluation.measured import Measured
from vaelab.inference import Inferred, Search, batches, images_at_once, infer
from vaelab.models import Model, device_of, evaluating, local_randomness
from vaelab.shapes import Images


def measure_gaps(
    model: Model,
    images: Images,
    search: Search | None = None,
    *,
    num_samples: int = 100,
    reference: Literal["importance", "annealing"] = "importance",
    num_reference: int = 2000,
    seed: int = 0,
    on_step: Callable[[int], None] | None = None,
) -> tuple[Measured, Inferred]:
    """The amortisation and the approximation gap of each image, and the posteriors that were found.

        log p(x) - ELBO of the encoder = approximation gap + amortisation gap

    Args:
        model: The model, given the conditions of the images if it takes any.
        images: In [0, 1]; all of them are held.
        search: How posteriors are searched for; left out, as in `infer`.
        num_samples: Draws of each posterior for its ELBO.
        reference: How log p(x) is estimated. importance: by weights of draws of the found posterior; annealing: by
            annealed importance sampling, which needs no posterior, and takes longer.
        num_reference: Draws per image for importance; temperatures, with 16 chains, for annealing.
        seed: Of every draw.
        on_step: As in `infer`.

    Raises:
        InputError: A number is out of range, or the images are not such as the model takes.

    *Source*: Cremer, Li and Duvenaud 2018 (https://arxiv.org/abs/1801.03558).
    """
    check_num_samples(num_samples)
    check_num_samples(num_reference)
    inferred = infer(model, images, search, seed=seed, on_step=on_step)
    at_once, start = images_at_once(model.image_shape), 0
    columns: dict[str, list[np.ndarray]] = {"elbos": [], "inferred_elbos": [], "log_evidences": []}
    with evaluating(model), local_randomness(apart(seed), device_of(model)):
        for given, x in batches(model, images, at_once):
            own = inferred.posterior(start, start + len(x), x.device)
            start += len(x)
            columns["elbos"].append(_elbos(given, given.encode(x), x, num_samples, at_once))
            columns["inferred_elbos"].append(_elbos(given, own, x, num_samples, at_once))
            if reference == "importance":
                sums = ImportanceSums(len(x))
                for likelihood, ratio in draws(given, own, x, num_reference, at_once):
                    sums.add(likelihood + ratio)
                columns["log_evidences"].append(sums.log_evidences.numpy())
    arrays = {name: np.concatenate(parts) for name, parts in columns.items() if parts}
    if reference == "annealing":
        arrays["log_evidences"] = annealed(model, images, num_temperatures=num_reference, seed=seed)
    metrics = all_metrics(["amortisation_gap", "approximation_gap"]).values()
    return measure_arrays(arrays, metrics), inferred


def _elbos(model: Model, q: Distribution, x: Images, num_samples: int, batch_size: int) -> np.ndarray:
    """(image,): ELBOs, nats."""
    parts = [likelihood + ratio for likelihood, ratio in draws(model, q, x, num_samples, batch_size)]
    return torch.cat(parts).mean(0).numpy()
