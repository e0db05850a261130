"""A classifier of images, trained by the loop that trains models, in whose features images are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vaelab.data.feed import Feed
from vaelab.models import Conditions, evaluating, local_randomness
from vaelab.networks.conv import ConvEncoder, default_widths
from vaelab.networks.mlp import MLPEncoder
from vaelab.schedules import Time
from vaelab.shapes import Images, Noise, PerImage
from vaelab.training import Batches, Step, Training, begin_step, train
from vaelab.training.choices import plain
from vaelab.training.step import Outcome

NUM_FEATURES = 64
_WIDEST, _SMALLEST = 64, 8
_PASSES, _FEWEST_STEPS, _MOST_STEPS = 20, 300, 2000
_MOST_SCALED = 5000


class Classifier(nn.Module):
    """Convolutions, each of which halves the image, 64 features, and a linear layer that tells the class.

    Args:
        image_shape: (channel, height, width).
        num_classes: 2 or more; or 1 where it tells a number.

    >>> Classifier((1, 8, 8), 3)(torch.rand(5, 1, 8, 8)).shape
    torch.Size([5, 3])
    """

    scale: Tensor

    def __init__(self, image_shape: tuple[int, int, int], num_classes: int):
        super().__init__()
        height, width = image_shape[1:]
        if min(height, width) >= _SMALLEST:
            widths = tuple(min(_WIDEST, width) for width in default_widths(height, width))
            network = ConvEncoder(widths=widths, dense=())
        else:
            network = MLPEncoder(hidden=(_WIDEST,))
        self.body = nn.Sequential(network.build(image_shape, NUM_FEATURES), nn.ReLU())
        self.head = nn.Linear(NUM_FEATURES, num_classes)
        self.register_buffer("scale", torch.ones(()))

    def features(self, x: Images) -> Tensor:
        """(image, feature): what the last layer reads, so scaled that their mean variance over training images is 1."""
        return self.body(x) / self.scale

    def forward(self, x: Images) -> Tensor:
        """(image, class): the larger, the likelier; or the number, standardised."""
        return self.head(self.body(x))


class _Step(Step):
    """The cross entropy of a classifier, or its squared error; what an image is comes in as its condition."""

    def __init__(self, model: Classifier, is_number: bool):
        super().__init__()
        self.model, self.companions = model, nn.Module()  # pyright: ignore[reportIncompatibleVariableOverride]
        self.is_number = is_number

    @property
    def noise_dims(self) -> tuple[int, ...]:
        """See Step."""
        return (0,)

    def forward(
        self, x: Images, condition: Conditions | None, weight: PerImage | None, t: Time | None, noise: Noise
    ) -> Outcome:
        """See Step."""
        assert condition is not None
        found, wanted = self.model(x), condition[:, 0]
        if self.is_number:
            loss = (found[:, 0] - wanted).square()
        else:
            loss = cross_entropy(found, wanted.long(), reduction="none")
        return Outcome({"": {"loss": loss}}, None)


def num_steps(num_images: int) -> int:
    """Optimiser steps, of 64 images, that a classifier takes: 20 passes, but at least 300 and at most 2,000 steps."""
    return min(_MOST_STEPS, max(_FEWEST_STEPS, _PASSES * num_images // Training().batch_size))


def fit_classifier(
    feed: Feed,
    rows: np.ndarray,
    classes: Sequence[int] | np.ndarray,
    seed: int = 0,
    on_step: Callable[[int], None] | None = None,
) -> Classifier:
    """A classifier of these images; the same images, classes and seed give the same one.

    Args:
        feed: Gives images by row, on the device where it is to learn.
        rows: (image,): those to learn from.
        classes: (image,): what they are, from 0.
        seed: Of the weights and the order of the images.
        on_step: Called after each step with 1, to show progress.
    """
    return fit_network(feed, rows, np.asarray(classes), int(np.max(classes)) + 1, seed, on_step)


def fit_network(
    feed: Feed,
    rows: np.ndarray,
    wanted: np.ndarray,
    num_classes: int,
    seed: int = 0,
    on_step: Callable[[int], None] | None = None,
) -> Classifier:
    """A classifier of so many classes, or of a number (1 class), that learnt from these rows what is wanted of each.

    Args:
        feed: As for `fit_classifier`.
        rows: Likewise.
        wanted: (image,): classes from 0, or standardised numbers.
        num_classes: 2 or more, or 1.
        seed: Likewise.
        on_step: Likewise.
    """
    beside = np.zeros((len(feed), 1), np.float32)
    beside[rows, 0] = wanted
    batches = Batches(feed=feed, train=rows, validation=rows[:0], conditions=beside)
    training = Training(num_steps=num_steps(len(rows)), schedule="cosine")
    shape = tuple(feed(rows[:1]).shape[1:])
    with local_randomness(seed, feed.device):
        classifier = Classifier(shape, num_classes).to(feed.device)  # pyright: ignore[reportArgumentType]
        step = _Step(classifier, is_number=num_classes == 1)
        for _ in train(begin_step(step, batches, training), batches, training, plain(), seed):
            if on_step:
                on_step(1)
        some = np.random.default_rng(seed).permutation(rows)[:_MOST_SCALED]
        with evaluating(classifier):
            seen = torch.cat([classifier.features(x) for x in feed.batches(some)])
    variance = seen.var(0, unbiased=False).mean()
    classifier.scale.copy_(variance.sqrt() if variance > 0 else torch.ones(()))
    return classifier.eval()
