"""What codes say of what is known of their images, beside codes that took no training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import torch

from vaelab.evaluation._baselines import principal_axes
from vaelab.evaluation._evaluate import computable, measure_arrays
from vaelab.inference import ImageBatches, batches
from vaelab.metrics import Metric, Score
from vaelab.models import Model, evaluating
from vaelab.shapes import Images

UNTRAINED, PCA, HAND_MADE, TRUE_FACTORS = "untrained", "PCA", "hand-made", "true factors"


def measure_known(
    arrays: Mapping[str, np.ndarray],
    known: Mapping[str, object],
    metrics: Iterable[Metric],
    trivial: Mapping[str, np.ndarray] | None = None,
) -> tuple[Score, ...]:
    """The scores of metrics that ask for what is known, of a model's codes and of trivial ones.

    Of trivial codes the values alone are computed, without intervals, and no ranks of neighbours, which take long.

    Args:
        arrays: codes and scales of the model.
        known: labels, factors, groups, ..., by the names that metrics ask for.
        metrics: Those that are wanted. Those that need nothing of what is known are passed over.
        trivial: Name -> codes of the same images.

    >>> from vaelab.evaluation import all_metrics
    >>> z = np.random.default_rng(0).normal(size=(50, 2))
    >>> found = measure_known({"codes": z}, {"factors": z}, all_metrics(["sap", "mse"]).values(), {"nothing": 0 * z})
    >>> [(score.metric, score.part, score.model) for score in found if not score.part]
    [('sap', '', ''), ('sap', '', 'nothing')]
    """
    alone, metrics = {metric.name for metric in computable(metrics, arrays)}, list(metrics)
    wanted = [metric for metric in computable(metrics, {*arrays, *known}) if metric.name not in alone]
    scores = list(measure_arrays({**arrays, **known}, wanted).scores)
    for name, codes in (trivial or {}).items():
        there = {"codes": codes, **known, "value_alone": True}
        there.pop("clusters", None)
        quick = [metric for metric in computable(wanted, there) if "factor_ranks" not in metric.needs]
        found = measure_arrays(there, quick).scores
        scores += [replace(score, model=name, interval=None) for score in found]
    return tuple(scores)


def trivial_codes(
    images: ImageBatches,
    training_images: ImageBatches | None,
    untrained: Model,
    factors: np.ndarray | None = None,
    batch_size: int = 256,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Codes that took no training, by which to judge those of a model.

    Args:
        images: In [0, 1].
        training_images: Give PCA its axes, when there, as many as the model has latents.
        untrained: The model with random weights: ``untrained``, its posteriors' means.
        factors: (image, factor) of the images, when there: ``true factors``.
        batch_size: Images that go through the network at once.
        seed: Of PCA's solver.

    Returns:
        Name -> (image, number): untrained, PCA, hand-made (see `hand_made`), true factors.
    """
    axes = None
    if training_images is not None:
        axes = [torch.from_numpy(part) for part in principal_axes(training_images, untrained.latent_dim, seed)]
    found: dict[str, list[np.ndarray]] = {UNTRAINED: [], HAND_MADE: []} | ({PCA: []} if axes else {})
    with evaluating(untrained):
        for model, x in batches(untrained, images, batch_size):
            found[UNTRAINED].append(model.encode(x).mean.numpy(force=True))
            found[HAND_MADE].append(hand_made(x).numpy(force=True))
            if axes:
                center, directions = axes
                found[PCA].append(((x.cpu().flatten(1) - center) @ directions.T).numpy())
    codes = {name: np.concatenate(parts).astype(np.float64) for name, parts in found.items()}
    return codes | ({} if factors is None else {TRUE_FACTORS: np.asarray(factors, np.float64)})


def hand_made(x: Images) -> torch.Tensor:
    """(image, 5 numbers of each channel): what a microscopist would measure first.

    The mean intensity; the area: the share of pixels above half of the image's brightest; and the second moments about
    the centre of intensity, in sizes of the image: along rows, along columns, and of both together.

    >>> [round(number, 3) for number in hand_made(torch.ones(1, 1, 4, 4))[0].tolist()]
    [1.0, 1.0, 0.078, 0.078, 0.0]
    """
    height, width = x.shape[-2:]
    rows = ((torch.arange(height, device=x.device) + 0.5) / height).view(-1, 1)
    columns = ((torch.arange(width, device=x.device) + 0.5) / width).view(1, -1)
    weights = x / x.sum((-2, -1), keepdim=True).clamp(min=1e-12)
    down, right = (axis - (weights * axis).sum((-2, -1), keepdim=True) for axis in (rows, columns))
    moments = [(weights * product).sum((-2, -1)) for product in (down * down, right * right, down * right)]
    area = (x > x.amax((-2, -1), keepdim=True) / 2).float().mean((-2, -1))
    return torch.cat([x.mean((-2, -1)), area, *moments], dim=1)
