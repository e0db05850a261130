"""One pass over the images, in which the networks run once and give only what metrics ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Independent

from vaelab.distributions import rate, rate_per_latent, sample_with
from vaelab.errors import InputError
from vaelab.evaluation._derived import DrawnImages
from vaelab.evaluation._importance import ImportanceSums, apart, draws
from vaelab.inference import ImageBatches, batches
from vaelab.likelihoods import check_pixels, on_levels, speaks_of_levels
from vaelab.metrics import PerImage
from vaelab.models import Model, device_of, evaluating, local_randomness
from vaelab.shapes import Images

Reconstructor = Callable[[Images], Images]
Arrays = dict[str, np.ndarray]

DRAWN = {"rates", "distortions", "log_evidences", "effective_samples"}
"""What draws of the posterior give; rates in closed form where there is one."""
PIXELS = {"images", "reconstructions"}
"""What is looked at batch by batch, and kept only where a metric asks for all images at once."""
SOME_PIXELS = {"pixels", "drawn"}
"""Those of some images, and which they are; see `DrawnImages`."""


def obtainable(model: Model) -> set[str]:
    """The names of what a pass over images can give."""
    factorises = isinstance(model.prior, Independent)
    found = {"codes", "scales"} | DRAWN | PIXELS | SOME_PIXELS
    found |= {"level_elbos"} if speaks_of_levels(model.likelihood) else set()
    return found | ({"latent_rates"} if factorises else set())


def run(
    model: Model,
    images: ImageBatches,
    asked: set[str],
    streamed: Sequence[PerImage],
    settings: Mapping[str, object],
    *,
    num_samples: int,
    batch_size: int,
    seed: int,
    baselines: Mapping[str, Reconstructor],
    on_batch: Callable[[int], None] | None,
) -> tuple[Arrays, dict[str, Arrays]]:
    """Runs the networks over all images once, in float32.

    Args:
        model: The model.
        images: In [0, 1]; a tensor or a stream of batches.
        asked: Arrays that are wanted whole, by name.
        streamed: Metrics of images and reconstructions that are wanted of each image.
        settings: Of `streamed`, by name.
        num_samples: Draws of the posterior per image; 1 or more.
        batch_size: Images, or draws, that go through the networks at once.
        seed: Of the draws.
        baselines: Other ways to reconstruct the same images, of which `streamed` are wanted too.
        on_batch: Called after each batch with the number of images in it.

    Returns:
        The arrays, one row per image, with codes, scales and latent_rates always; and model -> metric -> values, the
        model itself under an empty name.

    Raises:
        InputError: An argument is out of range, or the images are not such as the model takes.
    """
    columns: dict[str, list[np.ndarray]] = defaultdict(list)
    values: dict[str, dict[str, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    ways: dict[str, Reconstructor] = dict(baselines) if streamed else {}
    some, noise = DrawnImages(seed), torch.Generator().manual_seed(apart(seed))
    with evaluating(model), local_randomness(apart(seed), device_of(model)):
        for given, x in batches(model, images, batch_size):
            if model.likelihood.space == "binary":
                check_pixels(model.likelihood, x)
            q = given.encode(x)
            found = _codes(given, q) | _drawn(given, q, x, asked, num_samples, batch_size)
            if "level_elbos" in asked:
                found["level_elbos"] = _level_elbos(given, q, x, noise)
            if streamed or asked & PIXELS:
                own = given.decode(q.mean).mean
                found |= {name: array for name, array in (("images", x), ("reconstructions", own)) if name in asked}
                for name, reconstruction in _each(own, ways, x):
                    for metric, numbers in _per_image(streamed, settings, x, reconstruction):
                        values[name][metric].append(numbers)
            if asked & SOME_PIXELS:
                some.add(x.cpu().numpy())
            for name, array in found.items():
                columns[name].append(array.cpu().numpy())
            if on_batch:
                on_batch(len(x))
    arrays = {name: np.concatenate(parts) for name, parts in columns.items()}
    arrays |= {name: array for name, array in (("pixels", some.pixels), ("drawn", some.mask)) if name in asked}
    joined = {n: {m: np.concatenate(parts) for m, parts in of.items()} for n, of in values.items()}
    return arrays, joined


def _codes(model: Model, q: Independent) -> dict[str, Tensor]:
    found = {"codes": q.mean, "scales": q.stddev}
    return found | ({"latent_rates": rate_per_latent(q, model.prior)} if isinstance(model.prior, Independent) else {})


def _drawn(
    model: Model, q: Independent, x: Images, asked: set[str], num_samples: int, batch_size: int
) -> dict[str, Tensor]:
    if not asked & DRAWN:
        return {}
    sums = ImportanceSums(len(x))
    log_likelihood = ratio_sum = torch.zeros(len(x), dtype=torch.float64)
    for likelihood, ratio in draws(model, q, x, num_samples, batch_size):
        sums.add(likelihood + ratio)
        log_likelihood = log_likelihood + likelihood.sum(0)
        ratio_sum = ratio_sum + ratio.sum(0)
    return {
        "rates": _closed_rate(model, q, -ratio_sum / num_samples),
        "distortions": -log_likelihood / num_samples,
        "log_evidences": sums.log_evidences,
        "effective_samples": sums.effective_samples,
    }


def _level_elbos(model: Model, q: Independent, x: Images, noise: torch.Generator) -> Tensor:
    """(image,): the ELBO of the image's 256 grey levels, by one draw of the posterior; NaN where p(x|z) gives none."""
    z = sample_with(q, torch.randn(q.mean.shape, generator=noise).to(x.device))
    try:
        likelihood = on_levels(model.decode(z)).log_prob(x).cpu().double()
    except InputError:
        return torch.full((len(x),), torch.nan, dtype=torch.float64)
    return likelihood - _closed_rate(model, q, (q.log_prob(z) - model.prior.log_prob(z)).cpu().double())


def _closed_rate(model: Model, q: Independent, from_draws: Tensor) -> Tensor:
    try:
        return rate(q, model.prior)
    except InputError:
        return from_draws


def _each(own: Images, ways: Mapping[str, Reconstructor], x: Images) -> Iterator[tuple[str, Images]]:
    yield "", own
    for name, reconstruct in ways.items():
        yield name, reconstruct(x)


def _per_image(
    metrics: Sequence[PerImage], settings: Mapping[str, object], x: Images, y: Images
) -> Iterator[tuple[str, np.ndarray]]:
    there = {**settings, "images": x.cpu().numpy(), "reconstructions": y.cpu().numpy()}
    for metric in metrics:
        yield metric.name, metric.values(**{name: there[name] for name in metric.takes if name in there})
