"""One pass over the images, from which every metric gets its arrays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Independent

from vaelab.distributions import rate, rate_per_latent
from vaelab.errors import InputError
from vaelab.evaluation._importance import ImportanceSums, apart, check_num_samples, draws
from vaelab.evaluation._pixels import absolute_errors, similarities, squared_errors
from vaelab.inference import ImageBatches, batches
from vaelab.likelihoods import DataSpace, check_pixels
from vaelab.models import Model, device_of, evaluating, local_randomness
from vaelab.shapes import Images

Reconstructor = Callable[[Images], Images]


@dataclass(frozen=True, eq=False, kw_only=True)
class Gathered:
    """What metrics are computed from. A metric's arguments bear these names; None is what there isn't."""

    loc: np.ndarray
    """(image, latent): the posteriors' means."""
    scale: np.ndarray
    """(image, latent): their standard deviations."""
    rates: np.ndarray
    """(image,): KL(q(z|x) || p(z)), nats; in closed form where there is one, else the mean over the draws."""
    latent_rates: np.ndarray | None
    """(image, latent): the same per latent; only where posterior and prior factorise."""
    distortions: np.ndarray
    """(image,): the mean over the draws of -log p(x|z), nats."""
    log_evidences: np.ndarray
    """(image,): the importance-weighted estimate of log p(x), nats."""
    effective_samples: np.ndarray
    """(image,): how many equal weights would be as good as those of that estimate; from 1 to num_samples."""
    num_samples: int
    """Draws of the posterior per image."""
    squared_errors: np.ndarray
    """(image, channel): mean over pixels, image against reconstruction, both in [0, 1]."""
    absolute_errors: np.ndarray
    """(image, channel): likewise."""
    similarities: np.ndarray
    """(image, channel): structural similarity."""
    num_pixels: int
    """Pixels times channels of one image."""
    space: DataSpace
    """What the likelihood puts its probability on."""
    normalized: bool
    """Whether its probabilities sum to one."""
    num_levels: int | None
    """Grey levels of which the likelihood speaks, or of the dequantised images it was evaluated on; None: not known, or
    the likelihood isn't normalised."""
    baseline_errors: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    """Baseline -> squared_errors, absolute_errors and similarities of its reconstructions."""

    @property
    def elbos(self) -> np.ndarray:
        """(image,): -(distortion + rate), nats."""
        return -(self.distortions + self.rates)

    def arrays(self) -> dict[str, object]:
        """All there is, by name."""
        known: dict[str, object] = {name: value for name, value in vars(self).items() if value is not None}
        return known | {"elbos": self.elbos}


def gather(
    model: Model,
    images: ImageBatches,
    *,
    num_samples: int = 100,
    num_levels: int | None = None,
    batch_size: int = 256,
    seed: int = 0,
    baselines: Mapping[str, Reconstructor] | None = None,
    on_batch: Callable[[int], None] | None = None,
) -> Gathered:
    """Runs the networks over all images once, in float32, and keeps a few numbers per image.

    Args:
        model: The model.
        images: In [0, 1]; a tensor or a stream of batches.
        num_samples: Draws of the posterior per image; 1 or more.
        num_levels: The images' grey levels, where they were dequantised for a density; see `bits_per_dim`.
        batch_size: Images, or draws, that go through the networks at once.
        seed: Of the draws.
        baselines: Other ways to reconstruct the same images, to compare with.
        on_batch: Called after each batch with the number of images in it, to show progress.

    Raises:
        InputError: An argument is out of range, or the images are not such as the model takes.
    """
    check_num_samples(num_samples)
    columns: dict[str, list[np.ndarray]] = defaultdict(list)
    with evaluating(model), local_randomness(apart(seed), device_of(model)):
        for given, x in batches(model, images, batch_size):
            if model.likelihood.space == "binary":
                check_pixels(model.likelihood, x)
            q = given.encode(x)
            found = _codes_and_nats(given, q, x, num_samples, batch_size) | _errors(x, given.decode(q.mean).mean)
            for name, reconstruct in (baselines or {}).items():
                found |= {f"{name} {key}": value for key, value in _errors(x, reconstruct(x)).items()}
            for name, values in found.items():
                columns[name].append(values.cpu().numpy())
            if on_batch:
                on_batch(len(x))
    arrays = {name: np.concatenate(parts) for name, parts in columns.items()}
    errors_of = {
        name: {key: arrays.pop(f"{name} {key}") for key in ("squared_errors", "absolute_errors", "similarities")}
        for name in baselines or {}
    }
    return Gathered(
        **{"latent_rates": None, **arrays},  # pyright: ignore[reportArgumentType]
        num_samples=num_samples,
        num_pixels=int(np.prod(model.image_shape)),
        space=model.likelihood.space,
        normalized=model.likelihood.normalized,
        num_levels=_num_levels(model, num_levels),
        baseline_errors=errors_of,
    )


def _codes_and_nats(model: Model, q: Independent, x: Images, num_samples: int, batch_size: int) -> dict[str, Tensor]:
    sums = ImportanceSums(len(x))
    log_likelihood = ratio_sum = torch.zeros(len(x), dtype=torch.float64)
    for likelihood, ratio in draws(model, q, x, num_samples, batch_size):
        sums.add(likelihood + ratio)
        log_likelihood = log_likelihood + likelihood.sum(0)
        ratio_sum = ratio_sum + ratio.sum(0)
    found = {
        "loc": q.mean,
        "scale": q.stddev,
        "rates": _closed_rate(model, q, -ratio_sum / num_samples),
        "distortions": -log_likelihood / num_samples,
        "log_evidences": sums.log_evidences,
        "effective_samples": sums.effective_samples,
    }
    if isinstance(model.prior, Independent):
        found["latent_rates"] = rate_per_latent(q, model.prior)
    return found


def _closed_rate(model: Model, q: Independent, from_draws: Tensor) -> Tensor:
    try:
        return rate(q, model.prior)
    except InputError:
        return from_draws


def _errors(x: Images, reconstruction: Images) -> dict[str, Tensor]:
    return {
        "squared_errors": squared_errors(x, reconstruction),
        "absolute_errors": absolute_errors(x, reconstruction),
        "similarities": similarities(x, reconstruction),
    }


def _num_levels(model: Model, of_images: int | None) -> int | None:
    if not model.likelihood.normalized:
        return None
    known = {"binary": 2, "levels": getattr(model.likelihood, "num_levels", None)}
    return known.get(model.likelihood.space, of_images)
