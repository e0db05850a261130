"""All that can be measured of a model on held-out images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from vaelab import catalogue
from vaelab.data.rows import Rows
from vaelab.errors import InputError, unknown_name
from vaelab.evaluation import _pass, moves
from vaelab.evaluation._baselines import MEAN_IMAGE, fit_baselines
from vaelab.evaluation._derived import fill, sources
from vaelab.evaluation._importance import check_num_samples
from vaelab.evaluation.measured import Measured
from vaelab.inference import Embedding, ImageBatches, Trained, opened
from vaelab.metrics import GROUPS, Metric, PerImage
from vaelab.models import Model


def all_metrics(names: Iterable[str] | None = None) -> dict[str, Metric]:
    """The metrics of these names, or every one, in the order in which they are listed.

    Raises:
        InputError: A name is not known.

    >>> list(all_metrics(["mse", "elbo"]))
    ['elbo', 'mse']
    """
    known = catalogue.names("vaelab.metrics")
    names = None if names is None else dict.fromkeys(names)
    for name in names or ():
        if name not in known:
            raise unknown_name("metrics", name, known)
    of: dict[str, Metric] = catalogue.functions("vaelab.metrics", names)  # pyright: ignore[reportAssignmentType]
    return {m.name: m for m in sorted(of.values(), key=lambda m: (GROUPS.index(m.words.group), m.words.order, m.name))}


def evaluate(
    model: Model | Trained,
    images: ImageBatches | Rows | None = None,
    *,
    metrics: Iterable[str] | None = None,
    num_samples: int = 100,
    channels: Sequence[str] = (),
    training_images: ImageBatches | None = None,
    num_levels: int | None = None,
    known: Mapping[str, object] | None = None,
    batch_size: int = 256,
    seed: int = 0,
    on_batch: Callable[[int], None] | None = None,
) -> Measured:
    """Every metric of the catalogue that the model allows, from one pass over the images.

    The networks give only what the metrics ask for; where `known` holds all of it, they don't run at all.

    Args:
        model: The model, or a run.
        images: Held-out images in [0, 1]; a tensor, an array or a stream of batches. Of a run also row numbers, a mask,
            a slice or the name of a part; left out, the held-out part, which `vaelab.runs.results` keeps, too.
        metrics: Names of those that are wanted; left out, all.
        num_samples: Draws of the posterior per image, for ELBO, distortion and log p(x); time grows with it.
        channels: The channels' names; left out, they are numbered from 0.
        training_images: Gives the baselines (mean image, PCA), when there; the first 5,000 are used, so shuffle them.
        num_levels: The images' grey levels, where they were dequantised for a density; see `bits_per_dim`.
        known: What else is known of the images, by the names that metrics ask for: labels, factors, factor_names, ...
        batch_size: Images, or draws, that go through the networks at once.
        seed: Of the draws.
        on_batch: Called after each batch with the number of images in it, to show progress.

    Raises:
        InputError: An argument is out of range, or the images are not such as the model takes.

    >>> import torch
    >>> from vaelab.models import VAEConfig
    >>> vae = VAEConfig(latent_dim=2).build((1, 8, 8))
    >>> measured = evaluate(vae, torch.rand(20, 1, 8, 8).round(), num_samples=5)
    >>> measured.score("elbo").unit, len(measured.per_image)
    ('nats per image', 20)
    """
    check_num_samples(num_samples)
    channels = channels or (() if isinstance(model, Model) else getattr(model, "channels", ()))
    model, images = opened(model, "held_out" if images is None and isinstance(model, Trained) else images)
    names = tuple(channels) or tuple(str(i) for i in range(model.image_shape[0]))
    if len(names) != model.image_shape[0]:
        raise InputError("channels", f"be {model.image_shape[0]} names", len(names))
    facts = {"num_samples": num_samples, "channels": names, **_facts(model, num_levels), **(known or {})}
    obtainable = _pass.obtainable(model)
    dear = {moves.NAME} if metrics is not None or moves.affordable(model) else set()
    wanted = computable(all_metrics(metrics).values(), facts.keys() | obtainable | dear)
    settings = {name: fact for name, fact in facts.items() if not isinstance(fact, np.ndarray)}
    streamed = [m for m in wanted if isinstance(m, PerImage) and _of_pixels_alone(m, settings)]
    asked = _asked([m for m in wanted if m not in streamed], facts, obtainable)
    moved = any(moves.NAME in metric.needs for metric in wanted)
    asked |= {"codes", "scales"} - facts.keys() if moved else set()
    arrays, values = {}, {}
    if streamed or asked or "codes" not in facts:
        baselines = {}
        if training_images is not None and streamed:
            baselines = fit_baselines(training_images, model.latent_dim, seed)
        arrays, values = _pass.run(
            model,
            images,
            asked,
            streamed,
            settings,
            num_samples=num_samples,
            batch_size=batch_size,
            seed=seed,
            baselines=baselines,
            on_batch=on_batch,
        )
    there = arrays | facts
    if moved:
        embedding = Embedding(loc=there["codes"], scale=there["scales"])
        there[moves.NAME] = moves.latent_moves(model, embedding, seed=seed)
    measured = measure_arrays(there, wanted, values.pop("", {}))
    trivial = [
        replace(score, model=name)
        for name, found in values.items()
        for metric in streamed
        for score in metric.scores(found[metric.name], facts)
    ]
    nulls = {(score.metric, score.part): score.value for score in trivial if score.model == MEAN_IMAGE}
    own = (replace(score, null=nulls.get((score.metric, score.part), score.null)) for score in measured.scores)
    kept = (obtainable - _pass.PIXELS - _pass.SOME_PIXELS) | {"elbos"}
    arrays = {name: array for name, array in measured.arrays.items() if name in kept}
    return replace(measured, scores=(*own, *trivial), arrays=arrays)


def measure_arrays(
    there: Mapping[str, object], metrics: Iterable[Metric] | None = None, values: Mapping[str, np.ndarray] | None = None
) -> Measured:
    """Every metric whose arrays are there.

    Args:
        there: Arrays and facts, by the names that metrics ask for.
        metrics: Those that are wanted; left out, all.
        values: Metric -> numbers of each image that are known already.
    """
    given, values = dict(there), dict(values or {})
    wanted = computable(all_metrics().values() if metrics is None else metrics, given, values)
    scores, columns = [], {}
    for metric in wanted:
        for name in metric.takes:
            fill(given, name)
        if not isinstance(metric, PerImage):
            scores += metric(**{name: given[name] for name in metric.takes if name in given})
            continue
        if metric.name not in values:
            values[metric.name] = metric.values(**{name: given[name] for name in metric.takes if name in given})
        scores += metric.scores(values[metric.name], given)
        parts = metric.columns(values[metric.name], given)
        columns |= {f"{metric.name}/{part}" if part else metric.name: column for part, column in parts.items()}
    arrays = {name: array for name, array in given.items() if isinstance(array, np.ndarray)}
    count = next((len(array) for array in [*columns.values(), *arrays.values()]), 0)
    table = pd.DataFrame(columns, index=pd.RangeIndex(count))
    return Measured(scores=tuple(scores), per_image=table, rows=np.arange(count), arrays=arrays)


def _facts(model: Model, num_levels: int | None) -> dict[str, object]:
    """What is true of the model, by the names that metrics ask for."""
    likelihood = model.likelihood
    known = {"binary": 2, "levels": getattr(likelihood, "num_levels", None)}
    levels = known.get(likelihood.space, num_levels) if likelihood.normalized else None
    facts = {
        "space": likelihood.space,
        "normalized": likelihood.normalized,
        "num_pixels": int(np.prod(model.image_shape)),
    }
    return facts | ({} if levels is None else {"num_levels": levels})


def computable(metrics: Iterable[Metric], names: Iterable[str], done: Iterable[str] = ()) -> list[Metric]:
    """The metrics that are done already, or all of whose needs are among the names or follow from them."""
    names, done = set(names), set(done)
    return [m for m in metrics if m.name in done or all(sources(need, names) <= names for need in m.needs)]


def _of_pixels_alone(metric: Metric, settings: Mapping[str, object]) -> bool:
    arrays = set(metric.needs) - settings.keys()
    return bool(arrays) and arrays <= _pass.PIXELS


def _asked(metrics: Iterable[Metric], there: Mapping[str, object], obtainable: set[str]) -> set[str]:
    """What of the obtainable these metrics take, or what it follows from, as far as it isn't there yet."""
    known = there.keys() | obtainable
    wanted = {source for metric in metrics for name in metric.takes for source in sources(name, known)}
    return (wanted & obtainable) - there.keys()
