"""From samples in the user's units to images in [0, 1], and back."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from vaelab.errors import InputError


@dataclass(frozen=True, eq=False, kw_only=True)
class Units:
    """How samples are measured: y = (x - lo) / span, for each feature, or each channel of images."""

    sample_shape: tuple[int, ...]
    """Of one sample of X."""
    image_shape: tuple[int, int, int]
    """(channel, height, width) of the image that it is; features are channels of one pixel."""
    lo: np.ndarray
    """(channel, 1, 1), of the type of X: what becomes 0."""
    span: np.ndarray
    """(channel, 1, 1): from there to what becomes 1; 1 where all values were the same."""

    def images(self, X: np.ndarray) -> np.ndarray:
        """(sample, channel, height, width): lo as 0, lo + span as 1, nothing clipped."""
        return (X.reshape(len(X), *self.image_shape) - self.lo) / self.span

    def samples(self, images: np.ndarray) -> np.ndarray:
        """The samples of these images."""
        return (self.lo + self.span * images).astype(self.lo.dtype).reshape(len(images), *self.sample_shape)

    @property
    def log_volume(self) -> float:
        """log of how much larger the samples' space is: log p(x) = log p(y) - log volume."""
        return prod(self.image_shape[1:]) * float(np.log(self.span.astype(np.float64)).sum())


def measure(
    X: np.ndarray, image_shape: tuple[int, ...] | None = None, value_range: tuple[float, float] | None = None
) -> Units:
    """The units of these samples.

    Args:
        X: (sample, feature), (sample, height, width) or (sample, channel, height, width).
        image_shape: Of the images that the rows of a flat X are.
        value_range: What becomes 0 and 1; None: the smallest and the largest value of each channel.

    Raises:
        InputError: The samples are no such images, or lie outside the range.

    >>> measure(np.array([[0.0, 5.0], [10.0, 5.0]])).span.ravel().tolist()
    [10.0, 1.0]
    """
    shape = _image_shape(X.shape[1:], image_shape)
    images = X.reshape(len(X), *shape)
    lo, hi = images.min((0, 2, 3)), images.max((0, 2, 3))
    if value_range is not None:
        if lo.min() < value_range[0] or hi.max() > value_range[1]:
            raise InputError("X", f"lie in value_range {value_range}", f"values from {lo.min():g} to {hi.max():g}")
        lo, hi = np.full_like(lo, value_range[0]), np.full_like(hi, value_range[1])
    with np.errstate(over="ignore"):
        span = hi - lo
    if not np.isfinite(span).all():
        raise InputError("X", "span a finite range", f"values from {lo.min():g} to {hi.max():g}")
    span[span == 0] = 1
    return Units(sample_shape=X.shape[1:], image_shape=shape, lo=lo[:, None, None], span=span[:, None, None])


def read(estimator: BaseEstimator, X: Any, *, reset: bool, ensure_min_samples: int = 1) -> np.ndarray:
    """X as scikit-learn checks it, in float32 or float64: values of 8 and 16 bits are exact in float32.

    Raises:
        InputError: It has too many axes, or an empty one.
    """
    is_short = getattr(X, "dtype", None) in (np.uint8, np.uint16)
    dtype = np.float32 if is_short else [np.float64, np.float32]
    X = validate_data(estimator, X, reset=reset, dtype=dtype, allow_nd=True, ensure_min_samples=ensure_min_samples)
    if X.ndim > 4 or not X.size:
        should = "be (sample, feature), (sample, height, width) or (sample, channel, height, width)"
        raise InputError("X", should, f"shape {X.shape}")
    return X


def _image_shape(sample_shape: tuple[int, ...], given: tuple[int, ...] | None) -> tuple[int, int, int]:
    if given is None and len(sample_shape) == 1:
        return sample_shape[0], 1, 1
    shape = given or sample_shape
    goes = prod(shape) == prod(sample_shape) if len(sample_shape) == 1 else shape == sample_shape
    if len(shape) not in (2, 3) or not goes:
        should = f"be the (height, width) or (channel, height, width) of samples of shape {sample_shape}"
        raise InputError("image_shape", should, shape)
    channels, height, width = (1, *shape)[-3:]
    return channels, height, width
