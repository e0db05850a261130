"""All that is measured of a model on held-out images."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

from vaelab.catalogue import functions
from vaelab.distributions import COLLAPSE_RATE
from vaelab.errors import InputError
from vaelab.evaluation._baselines import fit_baselines
from vaelab.evaluation._gather import Gathered, gather
from vaelab.evaluation._score import Score
from vaelab.evaluation.fit import fits
from vaelab.inference import Embedding, ImageBatches
from vaelab.models import Model


@dataclass(frozen=True, eq=False, kw_only=True)
class Measures:
    """The scores of a model, with what they were computed from."""

    scores: Mapping[str, Score]
    """By metric; a metric of one channel or one latent alone is called ``mse/DNA``, ``rate_per_latent/3``."""
    per_image: pd.DataFrame
    """One row per image, in their order: elbo, rate, distortion and log_likelihood in nats; effective_samples; fit;
    mse, mae and ssim of all channels together and, where there are several, of each (``mse/DNA``)."""
    embedding: Embedding
    """The posterior of each image."""
    latent_rates: np.ndarray | None
    """(latent,): mean rate of each latent, nats; None where posterior or prior doesn't factorise."""
    latent_variances: np.ndarray
    """(latent,): variance over images of the posterior mean; a latent above 0.01 is active."""
    baselines: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    """Baseline -> the scores of its reconstructions of the same images."""

    @property
    def is_collapsed(self) -> bool:
        """Whether the code says nothing of the image: no latent is active, or the rate is below 0.1 nats per image."""
        return self.scores["rate"].value < COLLAPSE_RATE or not self.scores["active_units"].value

    def to_dict(self) -> dict:
        """Every score, with all its fields, as values that JSON can hold; what isn't a finite number is None."""
        return {
            "scores": {name: _plain(score) for name, score in self.scores.items()},
            "baselines": {
                baseline: {name: _plain(score) for name, score in scores.items()}
                for baseline, scores in self.baselines.items()
            },
        }


def evaluate(
    model: Model,
    images: ImageBatches,
    *,
    num_samples: int = 100,
    channels: Sequence[str] = (),
    training_images: ImageBatches | None = None,
    num_levels: int | None = None,
    batch_size: int = 256,
    seed: int = 0,
    on_batch: Callable[[int], None] | None = None,
) -> Measures:
    """Every metric of the catalogue that the model allows, from one pass over the images.

    Args:
        model: The model.
        images: Held-out images in [0, 1]; a tensor or a stream of batches.
        num_samples: Draws of the posterior per image, for ELBO, distortion and log p(x); time grows with it.
        channels: The channels' names; left out, they are numbered from 0.
        training_images: Gives the baselines (mean image, PCA), when there; the first 5,000 are used, so shuffle them.
        num_levels: The images' grey levels, where they were dequantised for a density; see `bits_per_dim`.
        batch_size: Images, or draws, that go through the networks at once.
        seed: Of the draws.
        on_batch: Called after each batch with the number of images in it, to show progress.

    Raises:
        InputError: An argument is out of range, or the images are not such as the model takes.

    >>> import torch
    >>> from vaelab.models import VAEConfig
    >>> vae = VAEConfig(latent_dim=2).build((1, 8, 8))
    >>> measures = evaluate(vae, torch.rand(20, 1, 8, 8).round(), num_samples=5)
    >>> measures.scores["elbo"].unit, len(measures.per_image)
    ('nats per image', 20)
    """
    names = tuple(channels) or tuple(str(i) for i in range(model.image_shape[0]))
    if len(names) != model.image_shape[0]:
        raise InputError("channels", f"be {model.image_shape[0]} names", len(names))
    baselines = {} if training_images is None else fit_baselines(training_images, model.latent_dim, seed)
    gathered = gather(
        model,
        images,
        num_samples=num_samples,
        num_levels=num_levels,
        batch_size=batch_size,
        seed=seed,
        baselines=baselines,
        on_batch=on_batch,
    )
    rates = gathered.latent_rates
    return Measures(
        scores=compute(gathered.arrays(), names),
        per_image=_table(gathered, names),
        embedding=Embedding(loc=gathered.loc, scale=gathered.scale),
        latent_rates=None if rates is None else rates.mean(0),
        latent_variances=gathered.loc.var(0),
        baselines={name: compute(errors, names) for name, errors in gathered.baseline_errors.items()},
    )


def compute(arrays: Mapping[str, object], channels: Sequence[str]) -> dict[str, Score]:
    """Every metric whose arguments are there; those on channels or latents also for each alone.

    Args:
        arrays: By the names that `Gathered` gives them.
        channels: The channels' names.
    """
    scores = {}
    for name, metric in functions("vaelab.evaluation").items():
        parameters = inspect.signature(metric).parameters
        given = {key: arrays[key] for key in parameters if key in arrays}
        if any(key not in given and p.default is inspect.Parameter.empty for key, p in parameters.items()):
            continue
        scores[name] = metric(**given)
        for key, value in given.items():
            parts = _parts(key, value, channels)
            scores |= {f"{name}/{part}": metric(**{**given, key: column}) for part, column in parts.items()}
    return scores


def _parts(key: str, value: object, channels: Sequence[str]) -> dict[str, np.ndarray]:
    """The columns of an array on channels or latents, by name, where there are several."""
    if not isinstance(value, np.ndarray) or value.ndim != 2 or value.shape[1] < 2:
        return {}
    if key in ("squared_errors", "absolute_errors", "similarities"):
        return {name: value[:, [i]] for i, name in enumerate(channels)}
    return {str(i): value[:, [i]] for i in range(value.shape[1])} if key == "latent_rates" else {}


def _table(gathered: Gathered, channels: Sequence[str]) -> pd.DataFrame:
    columns = {
        "elbo": gathered.elbos,
        "rate": gathered.rates,
        "distortion": gathered.distortions,
        "log_likelihood": gathered.log_evidences,
        "effective_samples": gathered.effective_samples,
        "fit": fits(gathered.distortions),
    }
    for short, name in (("mse", "squared_errors"), ("mae", "absolute_errors"), ("ssim", "similarities")):
        errors = getattr(gathered, name)
        columns[short] = errors.mean(1)
        columns |= {f"{short}/{part}": column[:, 0] for part, column in _parts(name, errors, channels).items()}
    return pd.DataFrame(columns)


def _plain(score: Score) -> dict:
    values = asdict(score)
    low_high = values["interval"] and [_finite(end) for end in values["interval"]]
    return values | {"value": _finite(score.value), "interval": low_high, "ceiling": _finite(score.ceiling)}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
