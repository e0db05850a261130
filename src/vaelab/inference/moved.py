"""Codes moved along directions, from one end of where codes lie to the other."""

from __future__ import annotations

import numpy as np
import torch

from vaelab.inference.decode import as_codes, decode_mean
from vaelab.inference.embed import Embedding
from vaelab.models import Model


def ends_along(embedding: Embedding, directions: np.ndarray, coverage: float = 0.95) -> np.ndarray:
    """(direction, 2): between which places the central share of the aggregate posterior lies, along each direction.

    Args:
        embedding: Whose posteriors make up the aggregate.
        directions: (direction, latent), of length 1; a latent by itself is a row of the unit matrix.
        coverage: The share between the two ends; above 0, below 1.

    >>> one = Embedding(loc=np.array([[3.0, 0.0]]), scale=np.array([[2.0, 1.0]]))
    >>> ends_along(one, np.eye(2)).round(2).tolist()
    [[-0.92, 6.92], [-1.96, 1.96]]
    """
    scale = np.sqrt(np.square(embedding.scale) @ np.square(directions.T))
    along = Embedding(loc=embedding.loc @ directions.T, scale=scale)
    return np.stack([along.aggregate_quantile((1 + side * coverage) / 2) for side in (-1, 1)], axis=1)


def moved_to(codes: np.ndarray, direction: np.ndarray, place: float) -> np.ndarray:
    """(image, latent): the codes, moved along a direction until they lie at that place on it.

    Args:
        codes: (image, latent).
        direction: (latent,), of length 1.
        place: Where z . direction is in the end.

    >>> moved_to(np.array([[1.0, 5.0]]), np.array([1.0, 0.0]), -2.0).tolist()
    [[-2.0, 5.0]]
    """
    return codes + np.outer(place - codes @ direction, direction)


def decode_ends(
    model: Model, codes: np.ndarray, direction: np.ndarray, ends: np.ndarray, batch_size: int = 256
) -> np.ndarray:
    """(end, image, channel, height, width): images drawn with their codes at both ends of a direction.

    Args:
        model: Given the conditions of these images, if it takes any.
        codes: (image, latent).
        direction: (latent,), of length 1.
        ends: (2,), as of `ends_along`.
        batch_size: Codes that go through the network at once.
    """
    z = np.concatenate([moved_to(codes, direction, place) for place in ends])
    drawn = decode_mean(model, as_codes(model, z), batch_size)
    return drawn.reshape(2, len(codes), *drawn.shape[1:])


def given_rows(model: Model, rows: np.ndarray) -> Model:
    """A model that was given the conditions of many images, given those of some of them; else itself."""
    conditions = model.conditions
    if conditions is None or len(conditions) == 1:
        return model
    return model.given(conditions[torch.from_numpy(rows).to(conditions.device)])
