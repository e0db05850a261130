"""Deletion and insertion: what a classifier says as pixels are replaced, the most salient first, or come back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from vaelab.errors import InputError, unknown_name
from vaelab.evaluation import Measured, all_metrics, measure_arrays
from vaelab.explanation._explain import Explained
from vaelab.explanation.judge import Judge
from vaelab.explanation.saliency import combined
from vaelab.inference import images_at_once
from vaelab.metrics._deletion import information_curves

Replacement = Literal["noise", "blur", "counterfactual"]
Way = Literal["deleted", "inserted"]
NUM_STEPS = 11
_BLUR = 1 / 8
"""The standard deviation of the blur, as a share of the image's larger side."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Curves:
    """What a classifier says of images as their pixels are replaced, or come back, step by step."""

    way: Way
    """Whether pixels of the image are replaced, or pixels of the replacement by those of the image."""
    by: Replacement
    """By what they are replaced."""
    shares: np.ndarray
    """(step,): of the pixels that have gone, or come back; from 0 to 1."""
    classes: np.ndarray
    """(image, 2, step): where the classifier puts the image; the most salient pixels first, and in random order."""
    said: np.ndarray
    """(image, 2, step): the probability that it gives to the class in which it puts the whole image."""
    reference: np.ndarray
    """(image,): what the images are; where nobody said, where the classifier puts the whole images."""

    @property
    def accuracy(self) -> np.ndarray:
        """(2, step): the share of images that are put where they belong."""
        return (self.classes == self.reference[:, None, None]).mean(0)

    @property
    def probability(self) -> np.ndarray:
        """(2, step): of the whole image's class, in the mean over images."""
        return self.said.mean(0)

    @property
    def information(self) -> np.ndarray:
        """(2, step): mutual information of where the images are put and of what they are, nats; see the metric."""
        return information_curves(self.classes, self.reference)

    @property
    def measured(self) -> Measured:
        """The areas below these curves, by saliency less at random, with intervals over images."""
        there = {f"{self.way}_classes": self.classes, f"{self.way}_said": self.said}
        metrics = all_metrics(["deletion_area" if self.way == "deleted" else "insertion_area"]).values()
        return measure_arrays({**there, "reference_classes": self.reference}, metrics)


def deletion_curves(
    explained: Explained,
    saliency: np.ndarray,
    *,
    by: Replacement = "noise",
    way: Way = "deleted",
    method: str = "latent_shift",
    reference: np.ndarray | None = None,
    num_steps: int = NUM_STEPS,
    seed: int = 0,
) -> Curves:
    """What the classifier says as the most salient pixels of each image are replaced, beside any pixels.

    A pixel goes with all its channels. Both orders take the same replacements; pixels of equal saliency go in random
    order.

    Args:
        explained: What `explain` gave.
        saliency: (image, channel, height, width), as `saliency_maps` gives it, or (image, height, width).
        by: Uniform noise; the image, blurred by an eighth of its larger side; or the same pixels of the step whose
            target is farthest from what the classifier says of the image.
        way: deleted: from the image to replacements alone; inserted: from replacements alone to the image.
        method: Whose steps are taken for counterfactuals.
        reference: (image,) what the images are, as columns of the classifier; left out, where it puts the images.
        num_steps: 2 or more, from no pixel to all of them.
        seed: Of noise and random orders.

    Raises:
        InputError: The classifier tells a number, or an argument does not go with the images.

    *Source*: Petsiuk et al. 2018, RISE (https://arxiv.org/abs/1806.07421).

    >>> from vaelab.explanation import explain
    >>> from vaelab.explanation.saliency import saliency_maps
    >>> from vaelab.models import VAEConfig
    >>> vae, x = VAEConfig(latent_dim=2).build((1, 8, 8)), torch.rand(4, 1, 8, 8)
    >>> bright = lambda x: np.stack([1 - x.mean((1, 2, 3)), x.mean((1, 2, 3))], 1)
    >>> explained = explain(vae, bright, x, targets=3)
    >>> curves = deletion_curves(explained, saliency_maps(explained)["difference"])
    >>> curves.said.shape, curves.accuracy[:, 0].tolist()
    ((4, 2, 11), [1.0, 1.0])
    """
    judge = explained.judge
    x, random = explained.images, np.random.default_rng(seed)
    importance = _checked(judge, x, saliency, reference, num_steps)
    others = _replacements(explained, by, method, random)
    start, end = (x, others) if way == "deleted" else (others, x)
    orders = [_ranks(importance, random), _ranks(np.zeros_like(importance), random)]
    shares = np.linspace(0, 1, num_steps)
    whole = _classes(judge, x)
    own = whole.argmax(1)
    found = np.empty((len(x), 2, num_steps, whole.shape[1]))
    for i, ranks in enumerate(orders):
        for j, count in enumerate(np.rint(shares * ranks[0].size)):
            found[:, i, j] = _classes(judge, np.where((ranks < count)[:, None], end, start))
    return Curves(
        way=way,
        by=by,
        shares=shares,
        classes=found.argmax(-1),
        said=np.take_along_axis(found, own[:, None, None, None], -1)[..., 0],
        reference=own if reference is None else np.asarray(reference, np.int64),
    )


def deletion_tests(
    explained: Explained,
    saliencies: Mapping[str, np.ndarray],
    replacements: tuple[Replacement, ...] = ("noise", "blur", "counterfactual"),
    method: str = "latent_shift",
    reference: np.ndarray | None = None,
    seed: int = 0,
) -> Iterator[tuple[str, Curves]]:
    """Every curve: saliency by saliency, with each replacement, deleted and inserted. Arguments as `deletion_curves`.

    Yields:
        The saliency's name and its curves.
    """
    for name, saliency in saliencies.items():
        for by in replacements:
            for way in ("deleted", "inserted"):
                yield (
                    name,
                    deletion_curves(explained, saliency, by=by, way=way, method=method, reference=reference, seed=seed),
                )


def _checked(
    judge: Judge, x: np.ndarray, saliency: np.ndarray, reference: np.ndarray | None, num_steps: int
) -> np.ndarray:
    """(image, height, width): the saliency of all channels together."""
    if judge.is_number:
        raise InputError("the classifier", "give probabilities of classes for a deletion test", "a number")
    if num_steps < 2:
        raise InputError("num_steps", "be at least 2", num_steps)
    if saliency.shape not in (x.shape, (len(x), *x.shape[2:])):
        raise InputError("saliency", f"be of the images' shape, {x.shape}", saliency.shape)
    if not np.isfinite(saliency).all():
        raise InputError("saliency", "be finite", "NaN or infinity")
    if reference is not None and np.shape(reference) != (len(x),):
        raise InputError("reference", f"be one number for each of {len(x)} images", np.shape(reference))
    return combined(saliency) if saliency.ndim == 4 else saliency


def _replacements(explained: Explained, by: Replacement, method: str, random: np.random.Generator) -> np.ndarray:
    """What stands in the pixels' place, of the images' shape."""
    x = explained.images
    if by == "noise":
        return random.random(x.shape).astype(x.dtype)
    if by == "blur":
        spread = _BLUR * max(x.shape[2:])
        return gaussian_filter(x, (0, 0, spread, spread))
    method = method.replace("-", "_")
    if method not in explained.series:
        raise unknown_name("method", method, explained.series)
    other = np.abs(explained.targets - explained.said[:, None]).argmax(1)
    return explained.series[method].images[np.arange(len(x)), other]


def _ranks(importance: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(image, height, width): from 0, that of the most important pixel; equal ones are in random order."""
    flat = importance.reshape(len(importance), -1)
    order = np.lexsort((random.random(flat.shape), -flat), axis=1)
    return order.argsort(1).reshape(importance.shape)


def _classes(judge: Judge, x: np.ndarray) -> np.ndarray:
    """(image, class): probabilities."""
    with torch.no_grad():
        parts = torch.from_numpy(x).split(images_at_once(x.shape[1:]))
        return torch.cat([judge.classes(some).double() for some in parts]).numpy(force=True)
