"""Arrays in, a trained model out, without a folder."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import Tensor

from vaelab.data import Intensity, Scaling, Split
from vaelab.data.feed import Feed
from vaelab.data.stored import Pixels
from vaelab.errors import InputError
from vaelab.likelihoods import check_pixels
from vaelab.models import Model, ModelConfig, VAEConfig, local_randomness
from vaelab.objectives import Objective
from vaelab.objectives.elbo import ELBO
from vaelab.training.choices import Choices
from vaelab.training.config import Machine, Training
from vaelab.training.device import find_device
from vaelab.training.listeners import Listener
from vaelab.training.loop import begin, choose_for, train
from vaelab.training.state import Batches, State
from vaelab.training.step import noise_seed


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitted:
    """What `fit` gives."""

    model: Model
    """With the best weights by validation, else the last; ready for inference."""
    history: pd.DataFrame
    """The terms as training went, in nats per image: step, split, stage (empty for the whole model), term, value."""
    intensity: Intensity
    """The scaling from stored pixels to [0, 1]."""
    choices: Choices
    """How it was computed."""

    def feed(self, images: Tensor | Pixels) -> Feed:
        """Images, stored as those that it was fitted to, as the model takes them."""
        return Feed(_pixels(images), self.intensity)


def fit(
    images: Tensor | Pixels,
    model: ModelConfig | None = None,
    objective: Objective | None = None,
    training: Training | None = None,
    machine: Machine | None = None,
    *,
    validation: float = 0.0,
    conditions: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    seed: int = 0,
    listeners: Sequence[Listener] = (),
) -> Fitted:
    """Trains a model on images in memory. The same images, settings and seed give the same model.

    Torch's random numbers are the same afterwards as before.

    Args:
        images: (image, channel, height, width): floats in [0, 1], or uint8 or uint16, whose range becomes [0, 1].
        model: The model's parts; None: a VAE of fully connected layers.
        objective: What is minimised; None: minus the ELBO.
        training: How long and how fast.
        machine: On what it is computed.
        validation: Share of the images, from 0 to below 1, that chooses the weights and stops the training; drawn by
            the seed.
        conditions: (image, number): under which the model sees each image.
        weights: (image,): by which each image's loss is multiplied.
        seed: Of the weights, the order of the images and the noise; 0 to 4,294,967,295.
        listeners: Called with the training's state after each step.

    Raises:
        InputError: Images or settings cannot be used, or the loss is not finite any more.

    >>> fitted = fit(np.random.default_rng(0).random((40, 1, 8, 8), np.float32).round(), training=Training(num_steps=5))
    >>> fitted.model.latent_dim, list(fitted.history.columns)
    (10, ['step', 'split', 'stage', 'term', 'value'])
    """
    objective, training, machine = objective or ELBO(), training or Training(), machine or Machine()
    config, device = model or VAEConfig(), find_device(machine.device)
    objective.check(config)
    if training.later:
        raise InputError("training.later", "be empty for images without a table", ", ".join(training.later))
    if not 0 <= seed < 2**32:
        raise InputError("seed", "be from 0 to 4294967295", seed)
    pixels = _pixels(images)
    conditions = _beside("conditions", conditions, 2, len(pixels))
    weights = _beside("weights", weights, 1, len(pixels))
    if weights is not None and (weights.min() < 0 or not weights.max()):
        raise InputError("weights", "be 0 or more, not all 0", "others")
    rows = Split(validation=validation, test=0, seed=seed).assign(pd.DataFrame(index=range(len(pixels))))
    intensity = Scaling().fit(pixels, rows.train)
    with local_randomness(noise_seed(seed, -2), device):
        shape = (int(pixels.shape[1]), int(pixels.shape[2]), int(pixels.shape[3]))
        built = config.build(shape, 0 if conditions is None else conditions.shape[1]).to(device)
        batches = Batches(
            feed=Feed(pixels, intensity, device=device),
            train=rows.train,
            validation=rows.validation,
            weights=weights,
            conditions=conditions,
        )
        check_pixels(built.likelihood, batches.feed(batches.train[:256]))
        choices = choose_for(built, objective, batches, training, machine, seed)
        state, best = begin(built, objective, batches, training, seed), None
        history: list[dict[str, object]] = []
        for _ in train(state, batches, training, choices, seed):
            history += _lines(state)
            if state.is_best:
                best = copy.deepcopy(built.state_dict())
            for listener in listeners:
                listener(state)
    if best is not None:
        built.load_state_dict(best)
    columns = ["step", "split", "stage", "term", "value"]
    table = pd.DataFrame(history, columns=columns)  # pyright: ignore[reportArgumentType]
    return Fitted(model=built.eval(), history=table, intensity=intensity, choices=choices)


def _pixels(images: Tensor | Pixels) -> Pixels:
    """As stored, checked."""
    pixels = images.numpy(force=True) if isinstance(images, Tensor) else images
    if isinstance(pixels, np.ndarray) and pixels.dtype == np.float64:
        pixels = pixels.astype(np.float32)
    if len(pixels.shape) != 4 or pixels.dtype not in (np.uint8, np.uint16, np.float32) or not len(pixels):
        got = f"{tuple(pixels.shape)} {pixels.dtype}"
        should = "be floats in [0, 1], uint8 or uint16 of shape (image, channel, height, width)"
        raise InputError("images", should, got)
    return pixels


def _beside(name: str, values: np.ndarray | None, ndim: int, count: int) -> np.ndarray | None:
    """What is said of each image, checked."""
    if values is None:
        return None
    array = np.asarray(values, np.float32)
    if array.ndim != ndim or len(array) != count or not np.isfinite(array).all():
        what = "a row of finite numbers" if ndim == 2 else "a finite number"
        raise InputError(name, f"be {what} for each of {count} images", f"an array of shape {array.shape}")
    return array


def _lines(state: State) -> list[dict[str, object]]:
    """The history's lines of this step."""
    parts = {"train": state.terms, "validation": state.validation}
    return [
        {"step": state.step, "split": split, "stage": stage, "term": term, "value": value}
        for split, means in parts.items()
        for stage, terms in (means or {}).items()
        for term, value in terms.items()
    ]
