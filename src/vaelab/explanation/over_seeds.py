"""Which meanings come again when the same model is trained with another seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaelab.errors import InputError
from vaelab.evaluation.alignment import match_latents
from vaelab.explanation.meaning import Meaning


@dataclass(frozen=True, eq=False, kw_only=True)
class Repeated:
    """What latents mean in several trainings, in the order and with the signs of the first."""

    directions: tuple[str, ...]
    """Of the first seed."""
    features: tuple[str, ...]
    """As in `Meaning`."""
    correlations: np.ndarray
    """(seed, direction): of a latent with its partner of the first seed, without a sign; 0 where it has none."""
    changes: np.ndarray
    """(seed, direction, feature): as in `Meaning`; not a number where a latent has no partner."""
    shown: np.ndarray
    """(seed, direction, feature): True where a change is shown."""

    @property
    def seeds(self) -> np.ndarray:
        """(direction, feature): how many seeds show a change, all with the sign that most of these have."""
        up, down = ((self.shown & (way * self.changes > 0)).sum(0) for way in (1, -1))
        return np.maximum(up, down)

    @property
    def alone(self) -> np.ndarray:
        """(direction, feature): True where the first seed shows a change and no other does with the same sign."""
        return self.shown[0] & ~(self.shown[1:] & (self.changes[1:] * self.changes[0] > 0)).any(0)


def over_seeds(found: Sequence[Meaning], codes: Sequence[np.ndarray]) -> Repeated:
    """The meanings of latents in several trainings, matched one to one by the codes of the same images.

    Args:
        found: Of each seed, of latents alone (classes have their names), with the same features.
        codes: Of each seed, (image, latent), of the same images.

    Raises:
        InputError: There are fewer than two, or they do not go together.

    *Source*: Duan et al. 2020 (https://arxiv.org/abs/1905.12614), which compares runs latent by latent.
    """
    if len(found) < 2 or len(codes) != len(found):
        raise InputError("meanings", "be those of two seeds or more, each with its codes", (len(found), len(codes)))
    first = found[0]
    if any(each.features != first.features or ((each.vectors != 0).sum(1) != 1).any() for each in found):
        raise InputError("meanings", "be of latents alone, with the same features", "others")
    shape = len(found), *first.changes.shape
    correlations, changes, shown = np.zeros(shape[:2]), np.full(shape, np.nan), np.zeros(shape, bool)
    for seed, (each, z) in enumerate(zip(found, codes, strict=True)):
        matched = match_latents(codes[0] @ first.vectors.T, z @ each.vectors.T)
        there = matched.correlations != 0
        partners, signs = matched.latents[there], np.sign(matched.correlations[there, None])
        correlations[seed] = np.abs(matched.correlations)
        changes[seed, there], shown[seed, there] = signs * each.changes[partners], each.shown[partners]
    return Repeated(
        directions=first.directions, features=first.features, correlations=correlations, changes=changes, shown=shown
    )
