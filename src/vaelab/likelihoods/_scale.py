"""How the scale of a Gaussian, Laplace or logistic pixel is set or learnt."""

from __future__ import annotations

from collections.abc import Mapping
from math import expm1, log
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import softplus

from vaelab.errors import InputError
from vaelab.settings.ranges import Positive

Scale = Literal["per_channel", "per_pixel"] | Positive
"""A fixed number; or learnt, one per channel for all images; or a number per pixel and channel from the decoder."""

INITIAL_SCALE = 0.1
"""A learnt scale begins here, above its floor: a tenth of the way from black to white."""


def check_scale(scale: Scale, min_scale: float) -> None:
    """Refuses a fixed scale below its floor."""
    if not isinstance(scale, str) and scale < min_scale:
        raise InputError("scale", f"be at least min_scale ({min_scale:g})", scale, "Lower min_scale if meant.")


def num_planes(scale: Scale) -> int:
    """Decoder planes: the location's, and the scale's where it is per pixel."""
    return 2 if scale == "per_pixel" else 1


def free_scale(scale: Scale, channels: int) -> dict[str, Tensor]:
    """What is learnt once for all images: nothing, or ``raw_scale`` per channel."""
    return {"raw_scale": torch.zeros(channels, 1, 1)} if scale == "per_channel" else {}


def split_scale(
    scale: Scale, min_scale: float, planes: tuple[Tensor, ...], free: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """The plane of the location, as the decoder gave it, and the scale, which broadcasts against it."""
    if scale == "per_pixel":
        return planes[0], positive(planes[1], min_scale)
    if scale == "per_channel":
        return planes[0], positive(free["raw_scale"], min_scale)
    return planes[0], planes[0].new_full((), scale)


def positive(raw: Tensor, floor: float, initial: float = INITIAL_SCALE) -> Tensor:
    """floor + softplus(raw + shift): smooth, above the floor, and floor + initial at raw = 0.

    >>> positive(torch.tensor([-30.0, 0.0, 10.0]), floor=0.01)
    tensor([0.0100, 0.1100, 7.7583])
    """
    return floor + softplus(raw + log(expm1(initial)))
