"""What a classifier sees in images, in their reconstructions and in samples, and what is measured of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vaelab.evaluation._baselines import principal_axes
from vaelab.evaluation._evaluate import computable, measure_arrays
from vaelab.evaluation._importance import apart
from vaelab.evaluation.classifier import Classifier
from vaelab.inference import ImageBatches, batches
from vaelab.metrics import Metric, Score
from vaelab.models import Model, device_of, evaluating, local_randomness
from vaelab.shapes import Images

Arrays = dict[str, np.ndarray]
FEATURES = {
    *("image_features", "sample_features", "reconstruction_features"),
    *("image_classes", "reconstruction_classes", "label_classes"),
}
"""What metrics ask for that only a classifier can give."""
TRAINING_IMAGES, PCA = "training images", "PCA"


def see(
    model: Model,
    classifier: Classifier,
    images: ImageBatches,
    training_images: Callable[[], ImageBatches] | None = None,
    others: ImageBatches | None = None,
    *,
    batch_size: int = 256,
    seed: int = 0,
    on_batch: Callable[[int], None] | None = None,
) -> dict[str, Arrays]:
    """What the classifier sees, of a model and of trivial models.

    Samples are as many as images, under the images' conditions, and means of p(x|z), as reconstructions are.

    Args:
        model: The model.
        classifier: On the same device.
        images: Held-out images in [0, 1].
        training_images: Gives training images whenever it is called: to PCA.
        others: Other images of the same kind, in the samples' place: training images, as many as images if there are.
        batch_size: Images that go through the networks at once.
        seed: Of the samples.
        on_batch: Called after each batch with the number of images in it.

    Returns:
        Model -> arrays by the names that metrics ask for; the model itself under an empty name. PCA draws its samples
        from a Gaussian with the variances of the training images along its axes.
    """
    found: dict[str, dict[str, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    with evaluating(model), evaluating(classifier), local_randomness(apart(seed), device_of(model)):
        principal = _principal(model, training_images, seed) if training_images else None
        for given, x in batches(model, images, batch_size):
            _note(found[""], "image", classifier, x)
            _note(found[""], "reconstruction", classifier, given.decode(given.encode(x).mean).mean)
            drawn = given.decode(given.prior.sample(torch.Size([len(x)]))).mean
            _note(found[""], "sample", classifier, drawn)
            if principal:
                for what, picture in zip(("reconstruction", "sample"), principal(x), strict=True):
                    _note(found[PCA], what, classifier, picture)
            if on_batch:
                on_batch(len(x))
        if others is not None:
            for x in [others] if isinstance(others, Tensor | np.ndarray) else others:
                _note(found[TRAINING_IMAGES], "sample", classifier, torch.as_tensor(x).to(device_of(model)))
    return {name: {what: np.concatenate(parts) for what, parts in own.items()} for name, own in found.items()}


def measure_features(
    seen: Mapping[str, Arrays], known: Mapping[str, object], metrics: Iterable[Metric], seed: int = 0
) -> tuple[Score, ...]:
    """The scores of metrics that ask for features or classes, of the model and of trivial ones in its place.

    Args:
        seen: As `see` gives it.
        known: label_classes and class_names.
        metrics: Those that are wanted; others are passed over.
        seed: Of the draw of images where there are fewer training images to set beside them.
    """
    wanted, images = [metric for metric in metrics if FEATURES & {*metric.needs}], seen[""]
    scores = list(measure_arrays({**images, **known}, wanted).scores)
    for name, own in seen.items():
        if not name:
            continue
        count = min(len(images["image_features"]), *map(len, own.values()))
        rows = np.sort(np.random.default_rng(seed).permutation(len(images["image_features"]))[:count])
        there = {what: images[what][rows] for what in ("image_features", "image_classes")}
        there |= {what: array[:count] for what, array in own.items()}
        of_own = [metric for metric in computable(wanted, {*there, *known}) if own.keys() & {*metric.needs}]
        scores += [replace(score, model=name) for score in measure_arrays({**there, **known}, of_own).scores]
    return tuple(scores)


def _note(columns: dict[str, list[np.ndarray]], what: str, classifier: Classifier, x: Images) -> None:
    """Adds what the classifier sees in some pictures."""
    columns[f"{what}_features"].append(classifier.features(x).cpu().numpy())
    if what != "sample":
        columns[f"{what}_classes"].append(classifier(x).argmax(1).cpu().numpy())


def _principal(
    model: Model, training_images: Callable[[], ImageBatches], seed: int
) -> Callable[[Images], Iterator[Images]]:
    """From images to PCA's reconstructions of them, and to as many of its samples."""
    center, axes = (torch.from_numpy(part) for part in principal_axes(training_images(), model.latent_dim, seed))
    given = training_images()
    parts = [given] if isinstance(given, Tensor | np.ndarray) else given
    codes = torch.cat([(torch.as_tensor(x).flatten(1).cpu() - center) @ axes.T for x in parts])
    spread, random = codes.std(0), torch.Generator().manual_seed(apart(seed))

    def pictures(x: Images) -> Iterator[Images]:
        own = (x.flatten(1).cpu() - center) @ axes.T
        drawn = spread * torch.randn(own.shape, generator=random)
        for z in (own, drawn):
            yield (center + z @ axes).clamp(0, 1).view(x.shape).to(x)

    return pictures
