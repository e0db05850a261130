"""p(x|z): how a pixel is distributed around what the decoder says. One file, one likelihood."""

from __future__ import annotations

from vaelab.likelihoods._base import DataSpace, Likelihood
from vaelab.likelihoods._compare import (
    bits_per_dim,
    check_comparable,
    check_pixels,
    describe_space,
    on_levels,
    speaks_of_levels,
)

__all__ = [
    "DataSpace",
    "Likelihood",
    "bits_per_dim",
    "check_comparable",
    "check_pixels",
    "describe_space",
    "on_levels",
    "speaks_of_levels",
]
