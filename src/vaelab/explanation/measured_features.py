"""What can be measured of an image without a model: its channels, and the object in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

import numpy as np
import pandas as pd
from scipy.ndimage import grey_opening

from vaelab.errors import InputError, unknown_name

NUM_BINS = 256
GRAIN = 1 / 32
"""Radius of what counts as a grain, in sides of the image; a pixel at least."""


def feature_names() -> tuple[str, ...]:
    """The features of an object that can be measured here: solidity only where scikit-image is installed.

    >>> feature_names()[:4]
    ('area', 'intensity', 'y', 'x')
    """
    return tuple(name for name in _MEASURED if name != "solidity" or find_spec("skimage"))


def measured_features(
    images: np.ndarray,
    channels: Sequence[str] = (),
    masks: np.ndarray | None = None,
    names: Sequence[str] | None = None,
) -> pd.DataFrame:
    """One row per image; a column for the mean intensity of each channel over the image, then one for each feature.

    The object is what a mask says, or the pixels brighter than Otsu's threshold of the mean over channels, each image
    having its own. Where there are several objects they are measured together; where there is none, its area is 0 and
    the rest not a number.

        area          share of the image's pixels
        intensity     mean over the object and the channels
        y, x          middle of the object, from 0 (top, left) to 1 (bottom, right)
        eccentricity  of the ellipse with the same second moments: 0 a circle, towards 1 a line
        upright       (variance of y - variance of x) / their sum: 1 a vertical line, -1 a horizontal one
        tilt          2 * covariance of y and x / the same sum: 1 a line from the upper left to the lower right
        solidity      share of its convex hull that the object fills (scikit-image, the extra `features`)
        granularity   share of the object's brightness that an opening by a disk removes: what is brighter than around
                      it and narrower than a sixteenth of the image
        texture       mean squared difference of neighbouring pixels in the object over twice their variance: 0 smooth,
                      1 noise (Geary's C)

    Args:
        images: (image, channel, height, width), in [0, 1].
        channels: Their names; ``channel 0`` and so on where it is empty.
        masks: (image, height, width), True or above 0 on the object.
        names: Which features; left out, all that can be measured here.

    Raises:
        InputError: Images or masks are not of such a shape or not finite, a feature is not known, or not installed.

    *Source*: Otsu 1979, A threshold selection method from gray-level histograms; Geary 1954, The contiguity ratio and
    statistical mapping; Serra 1982 (openings).

    >>> images = np.zeros((1, 1, 10, 10))
    >>> images[0, 0, 2:4, 5:10] = 0.5
    >>> measured_features(images, ["DNA"], names=["area", "y", "x", "upright"]).round(2).values.tolist()
    [[0.05, 0.1, 0.3, 0.75, -0.72]]
    """
    images = np.asarray(images)
    if images.ndim != 4 or not np.isfinite(images).all():
        got = images.shape if images.ndim != 4 else "others"
        raise InputError("images", "be finite numbers (image, channel, height, width)", got)
    called = [_called(str(name)) for name in channels or range(images.shape[1])]
    if len(called) != images.shape[1]:
        raise InputError("channels", f"be {images.shape[1]} names", len(called))
    wanted = _known(feature_names() if names is None else names)
    bright = images.mean(1, dtype=np.float64)
    inside = objects(bright) if masks is None else np.asarray(masks) > 0
    if inside.shape != bright.shape:
        raise InputError("masks", f"be of shape {bright.shape}", inside.shape)
    found = dict(zip(called, images.mean((2, 3), dtype=np.float64).T, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        found |= {name: _MEASURED[name](bright, inside) for name in wanted}
    return pd.DataFrame(found, index=pd.RangeIndex(len(images)))


def objects(bright: np.ndarray) -> np.ndarray:
    """(image, height, width): True on pixels above the threshold that divides the image's pixels best into two kinds.

    The threshold is that at which the variance between the two kinds is largest, of 256 steps from the darkest to the
    brightest pixel; an image of one intensity has no object.

    Args:
        bright: (image, height, width), finite.

    *Source*: Otsu 1979.
    """
    flat = bright.reshape(len(bright), -1)
    low, high = flat.min(1, keepdims=True), flat.max(1, keepdims=True)
    step = np.where(high > low, high - low, 1) / NUM_BINS
    bins = np.minimum(((flat - low) / step).astype(int), NUM_BINS - 1)
    places = bins + NUM_BINS * np.arange(len(flat))[:, None]
    counts = np.bincount(places.ravel(), minlength=NUM_BINS * len(flat)).reshape(len(flat), NUM_BINS)
    below, sums = counts.cumsum(1), (counts * np.arange(NUM_BINS)).cumsum(1)
    above = flat.shape[1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * np.square(sums / below - (sums[:, -1:] - sums) / above)
    last_below = np.nan_to_num(between, nan=-1).argmax(1)
    return ((bins > last_below[:, None]) & (high > low)).reshape(bright.shape)


def _called(channel: str) -> str:
    """What its column is called: told apart from a feature of that name."""
    return f"channel {channel}" if channel.isdigit() or channel in _MEASURED else channel


def _known(names: Sequence[str]) -> Sequence[str]:
    for name in names:
        if name not in _MEASURED:
            raise unknown_name("the feature", name, _MEASURED)
        if name not in feature_names():
            raise InputError("the feature", "be one that is installed", name, "pip install 'vaelab[features]'.")
    return names


def _over(inside: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(image,): the mean over the object."""
    return (values * inside).sum((1, 2)) / inside.sum((1, 2))


def _moments(inside: np.ndarray) -> tuple[np.ndarray, ...]:
    """Means of y and x, both variances and the covariance, in pixels; a pixel is a square."""
    y, x = (np.arange(side, dtype=np.float64) + 0.5 for side in inside.shape[1:])
    y, x = y[None, :, None], x[None, None, :]
    middle_y, middle_x = _over(inside, y), _over(inside, x)
    y, x = y - middle_y[:, None, None], x - middle_x[:, None, None]
    return middle_y, middle_x, _over(inside, y * y) + 1 / 12, _over(inside, x * x) + 1 / 12, _over(inside, y * x)


def _eccentricity(bright: np.ndarray, inside: np.ndarray) -> np.ndarray:
    _, _, yy, xx, yx = _moments(inside)
    apart = np.sqrt((yy - xx) ** 2 + 4 * yx**2)
    return np.sqrt(2 * apart / (yy + xx + apart))


def _upright(bright: np.ndarray, inside: np.ndarray) -> np.ndarray:
    _, _, yy, xx, _ = _moments(inside)
    return (yy - xx) / (yy + xx)


def _tilt(bright: np.ndarray, inside: np.ndarray) -> np.ndarray:
    _, _, yy, xx, yx = _moments(inside)
    return 2 * yx / (yy + xx)


def _solidity(bright: np.ndarray, inside: np.ndarray) -> np.ndarray:
    from skimage.morphology import convex_hull_image  # pyright: ignore[reportMissingImports]

    return np.array([mask.sum() / convex_hull_image(mask).sum() if mask.any() else np.nan for mask in inside])


def _granularity(bright: np.ndarray, inside: np.ndarray) -> np.ndarray:
    radius = max(1, round(GRAIN * max(bright.shape[1:])))
    axis = np.arange(-radius, radius + 1)
    disk = (axis[:, None] ** 2 + axis**2 <= radius**2)[None]
    return _over(inside, bright - grey_opening(bright, footprint=disk)) / _over(inside, bright)


def _texture(bright: np.ndarray, inside: np.ndarray) -> np.ndarray:
    squares, pairs = np.zeros(len(bright)), np.zeros(len(bright))
    for axis in (1, 2):
        side = np.arange(inside.shape[axis])
        both = inside.take(side[1:], axis) & inside.take(side[:-1], axis)
        squares += (np.square(np.diff(bright, axis=axis)) * both).sum((1, 2))
        pairs += both.sum((1, 2))
    variance = _over(inside, np.square(bright - _over(inside, bright)[:, None, None]))
    return np.where(variance > 0, squares / pairs / (2 * variance), 0 * variance)


_MEASURED: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "area": lambda bright, inside: inside.mean((1, 2)),
    "intensity": lambda bright, inside: _over(inside, bright),
    "y": lambda bright, inside: _moments(inside)[0] / inside.shape[1],
    "x": lambda bright, inside: _moments(inside)[1] / inside.shape[2],
    "eccentricity": _eccentricity,
    "upright": _upright,
    "tilt": _tilt,
    "solidity": _solidity,
    "granularity": _granularity,
    "texture": _texture,
}
"""Name -> from (image, height, width) brightness and object to (image,); not a number where there is no object."""
