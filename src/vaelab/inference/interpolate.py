"""Straight lines between the codes of images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vaelab.errors import InputError
from vaelab.inference.batches import Trained, batches, model_of
from vaelab.inference.decode import decode_mean
from vaelab.models import Model, evaluating
from vaelab.shapes import Images, Latents

Others = Float[Tensor, "other channel height width"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Interpolation:
    """Pairs of images, and what the decoder sees on the way from the one's code to the other's."""

    left: np.ndarray
    """(pair, channel, height, width): the images x where each way begins."""
    right: np.ndarray
    """(pair, channel, height, width): the images x' where it ends."""
    weights: np.ndarray
    """(step,): lambda, from 1 (the code of x) to 0 (the code of x')."""
    images: np.ndarray
    """(pair, step, channel, height, width): decoded along the way; the first and the last are the reconstructions."""


def interpolate(model: Model | Trained, x: Images, x_other: Others, num_steps: int = 10) -> Interpolation:
    """What lies between pairs of images.

        z_lambda = lambda * z + (1 - lambda) * z',  z and z' the posteriors' means,  lambda = 1, ..., 0

    Args:
        model: The model, or a run; given conditions, of each pair, under which both ends are encoded too.
        x: Images in [0, 1].
        x_other: As many others.
        num_steps: Decoded images between each pair, those at lambda 1 and 0 included; 2 or more.

    Raises:
        InputError: num_steps is too small, or there are not as many images on both sides.

    >>> from vaelab.models import VAEConfig
    >>> vae, x = VAEConfig(latent_dim=2).build((1, 8, 8)), torch.rand(2, 1, 8, 8)
    >>> interpolate(vae, x, x.flip(0), num_steps=5).images.shape
    (2, 5, 1, 8, 8)
    """
    if num_steps < 2:
        raise InputError("interpolate.num_steps", "be at least 2", num_steps, "The two ends are counted.")
    if len(x) != len(x_other):
        raise InputError("interpolate.x_other", f"hold as many images as x ({len(x)})", len(x_other))
    model = model_of(model)
    weights = torch.linspace(1, 0, num_steps)
    z, z_other = _codes(model, x), _codes(model, x_other)
    weight = weights.to(z).view(1, -1, 1)
    between = weight * z.unsqueeze(1) + (1 - weight) * z_other.unsqueeze(1)
    images = decode_mean(model, between.transpose(0, 1).flatten(0, 1))
    return Interpolation(
        left=x.numpy(force=True),
        right=x_other.numpy(force=True),
        weights=weights.numpy(),
        images=images.reshape(num_steps, len(x), *images.shape[1:]).swapaxes(0, 1),
    )


def interpolation_grid(model: Model, anchor: Images, others: Others, num_steps: int = 10) -> Interpolation:
    """What lies between one image and each of several: one row per other image, the anchor on the left.

    Args:
        model: The model.
        anchor: One image in [0, 1].
        others: The images to go to; `one_of_every_other_class` chooses them.
        num_steps: Decoded images between each pair, both ends included; 2 or more.

    Raises:
        InputError: anchor is not one image, or num_steps is too small.
    """
    if len(anchor) != 1:
        raise InputError("interpolation_grid.anchor", "be one image", len(anchor))
    return interpolate(model, anchor.expand_as(others), others, num_steps)


def one_of_every_other_class(labels: np.ndarray, anchor: int) -> np.ndarray:
    """The row of the first image of every class but the anchor's, in the order of the classes.

    Args:
        labels: (image,), any values that can be compared.
        anchor: The row of the anchor image.

    >>> one_of_every_other_class(np.array(["b", "a", "c", "b", "c"]), anchor=3)
    array([1, 2])
    """
    classes, first = np.unique(labels, return_index=True)
    return first[classes != labels[anchor]]


def _codes(model: Model, x: Images) -> Latents:
    with evaluating(model):
        return torch.cat([given.encode(part).mean for given, part in batches(model, x)])
