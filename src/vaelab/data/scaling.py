"""From stored intensities to [0, 1] and back: measured on the training images, kept on the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, cast

import numpy as np
from annotated_types import Ge, Le

from vaelab.data.stored import Pixels, blocks, read
from vaelab.errors import InputError
from vaelab.settings.ranges import Finite, Settings

Percent = Annotated[float, Ge(0), Le(100)]
Range = Literal["type", "min_max", "percentile"]
Array = TypeVar("Array")
"""A numpy array or a tensor. torch is imported only for a tensor: files are listed and decoded without it."""

SAMPLE_VALUES = 1 << 26
SAMPLE_SEED = 0
FEW_VALUES = 1 << 24
NEARLY = 0.99
"""Share of pixels of one value from which on a channel counts as nearly constant."""


@dataclass(frozen=True, kw_only=True)
class Intensity(Settings):
    """The measured scaling of each channel: y = (x - lo) / (hi - lo), clipped to [0, 1], then its square root if asked.

    Inside [lo, hi] it is undone exactly, up to rounding; a channel with hi = lo is 0 everywhere and comes back as lo.

    >>> scaling = Intensity(lo=(0.0,), hi=(255.0,))
    >>> scaling.apply(np.full((1, 1, 1, 1), 51, np.uint8)).item()
    0.20000000298023224
    """

    lo: tuple[Finite, ...]
    """Stored value that becomes 0, one per channel."""
    hi: tuple[Finite, ...]
    """Stored value that becomes 1, one per channel."""
    square_root: bool = False
    """Take the square root of the scaled value: dark pictures get more of the range."""

    def apply(self, x: Array) -> Array:
        """Images in [0, 1].

            y = clip((x - lo) / (hi - lo), 0, 1), and y = sqrt(y) with `square_root`

        Args:
            x: (..., channel, height, width) as stored, array or tensor of any type.

        Returns:
            float32, or float64 for float64.
        """
        stored, lo, span = self._planes(x)
        y: Any = stored - lo
        y /= span + (span == 0)
        if not span.all():
            y *= span != 0
        y = np.clip(y, 0, 1, out=y) if isinstance(y, np.ndarray) else y.clamp_(0, 1)
        return y**0.5 if self.square_root else y

    def invert(self, y: Array) -> Array:
        """Images in stored units, not rounded.

            x = lo + (hi - lo) * y, with y squared first after a square root

        Args:
            y: (..., channel, height, width) in [0, 1].
        """
        scaled, lo, span = self._planes(y)
        return lo + span * (scaled * scaled if self.square_root else scaled)

    def distorts(self, channels: Sequence[str], dtype: str) -> bool:
        """Whether these are red, green and blue, scaled each by itself: drawn as they are, colours would be others.

        Three channels of 8 bits without names are taken for such, too.
        """
        names = tuple(map(str.lower, channels))
        is_rgb = names == ("red", "green", "blue") or (names == ("0", "1", "2") and dtype == "uint8")
        return is_rgb and (len({*self.lo}) > 1 or len({*self.hi}) > 1)

    def as_photograph(self, y: np.ndarray, dtype: str) -> np.ndarray:
        """Red, green and blue in [0, 1] on one scale, as they were stored.

        Black is 0 and white 255 of 8-bit images, else the largest value that became 1; the scaling is undone.

        Args:
            y: (..., channel, height, width) in [0, 1].
            dtype: Of the stored pixels.

        >>> scaling = Intensity(lo=(0.0, 51.0, 0.0), hi=(255.0, 102.0, 51.0))
        >>> scaling.as_photograph(np.ones((3, 1, 1)), "uint8").ravel().round(3).tolist()
        [1.0, 0.4, 0.2]
        """
        black, white = min(0.0, *self.lo), 255.0 if dtype == "uint8" else max(self.hi)
        return (self.invert(y) - black) / (white - black)

    def _planes(self, x: object) -> tuple[Any, Any, Any]:
        """x as float32 or float64, lo and hi - lo as (channel, 1, 1) beside it."""
        lo, hi = np.array(self.lo).reshape(-1, 1, 1), np.array(self.hi).reshape(-1, 1, 1)
        if isinstance(x, np.ndarray):
            kind = np.float64 if x.dtype == np.float64 else np.float32
            return x.astype(kind), lo.astype(kind), (hi - lo).astype(kind)
        import torch

        tensor = cast(torch.Tensor, x)
        like = {"dtype": torch.float64 if tensor.dtype == torch.float64 else torch.float32, "device": tensor.device}
        return tensor.to(**like), torch.as_tensor(lo).to(**like), torch.as_tensor(hi - lo).to(**like)


@dataclass(frozen=True, kw_only=True)
class Scaling(Settings):
    """The setting of how stored intensities become numbers in [0, 1], measured on training images only."""

    range: Range = "type"
    """What becomes 0 to 1: the range of the pixel type (0 to 255, 0 to 65,535; float images must lie in [0, 1]), each
    channel's smallest and largest value, or two percentiles of each channel (where these are equal, as they are of
    rare bright spots, its smallest and largest value)."""
    low: Percent = 0.1
    """Percentile that becomes 0, in percent; what is darker is clipped. Read with `range` = percentile."""
    high: Percent = 99.9
    """Percentile that becomes 1, in percent; what is brighter is clipped. Read with `range` = percentile."""
    square_root: bool = False
    """Take the square root of the scaled value: dark pictures, such as fluorescence, get more of the range."""

    def __post_init__(self):
        super().__post_init__()
        if self.low >= self.high:
            raise InputError("low", f"be below high ({self.high:g})", self.low)

    def fit(self, images: Pixels, rows: np.ndarray) -> Intensity:
        """The intensity range of the images in `rows`, channel by channel.

        Smallest and largest values are exact and read in blocks. Percentiles are exact up to 2^26 pixel values; from
        more, as many images are drawn without replacement (seed 0) as hold that many. Float images are all checked.

        Args:
            images: (image, channel, height, width) as stored; may be larger than the memory.
            rows: The training images.

        Raises:
            InputError: Float images hold NaN or infinite values, or leave [0, 1] while `range` is type.
        """
        if images.dtype.kind == "f":
            _check_floats(images, self.range)
        channels = images.shape[1]
        if self.range == "type":
            top = 1.0 if images.dtype.kind == "f" else float(np.iinfo(images.dtype).max)
            return Intensity(lo=(0.0,) * channels, hi=(top,) * channels, square_root=self.square_root)
        lo, hi = _extremes(images, rows) if self.range == "min_max" else self._percentiles(images, rows)
        if (lo == hi).any() and self.range == "percentile":
            lo, hi = np.where(lo == hi, _extremes(images, rows), (lo, hi))
        return Intensity(lo=tuple(lo.tolist()), hi=tuple(hi.tolist()), square_root=self.square_root)

    def _percentiles(self, images: Pixels, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        most = max(1, SAMPLE_VALUES // max(1, int(np.prod(images.shape[1:]))))
        if len(rows) > most:
            rows = np.sort(np.random.default_rng(SAMPLE_SEED).choice(rows, most, replace=False))
        some = read(images, rows)
        values = [np.percentile(some[:, c], [self.low, self.high]) for c in range(images.shape[1])]
        lo, hi = np.array(values, np.float64).T
        return lo, hi


def faint_channels(images: Pixels, rows: np.ndarray, intensity: Intensity, channels: Sequence[str]) -> tuple[str, ...]:
    """A sentence for each channel in which nearly all pixels have one value as the model sees them.

    Args:
        images: (image, channel, height, width) as stored.
        rows: The training images; up to 256 of them are looked at.
        intensity: Their scaling.
        channels: The channels' names.

    >>> images = np.zeros((4, 1, 16, 16), np.uint8)
    >>> images[0, 0, 0, 0] = 200
    >>> print(faint_channels(images, np.arange(4), Intensity(lo=(0.0,), hi=(200.0,)), ["spots"])[0][:60])
    channel 'spots' is nearly constant: 99.90% of its pixels are
    """
    most = min(len(rows), 256, max(1, FEW_VALUES // int(np.prod(images.shape[1:]))))
    scaled = intensity.apply(read(images, rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]))
    found = []
    for name, lo, hi, y in zip(channels, intensity.lo, intensity.hi, scaled.swapaxes(0, 1), strict=True):
        share = float((abs(y - np.median(y)) <= 0.01).mean())
        if share >= NEARLY:
            words = (
                f"{share:.2%} of its pixels are the same within 1% of the range ({lo:g} to {hi:g}) that became 0 to 1"
            )
            found.append(f"channel {name!r} is {'nearly ' if share < 1 else ''}constant: {words}")
    return tuple(found)


def _extremes(images: Pixels, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ends = [(block.min((0, 2, 3)), block.max((0, 2, 3))) for _, block in blocks(images, rows)]
    lo, hi = zip(*ends, strict=True)
    return np.min(lo, axis=0).astype(np.float64), np.max(hi, axis=0).astype(np.float64)


def _check_floats(images: Pixels, of_range: Range) -> None:
    bad, first, low, high = 0, -1, np.inf, -np.inf
    for start, block in blocks(images):
        finite = np.isfinite(block).all((1, 2, 3))
        if not finite.all():
            first = start + int(np.argmin(finite)) if first < 0 else first
            bad += int(np.count_nonzero(~np.isfinite(block)))
        else:
            low, high = min(low, float(block.min())), max(high, float(block.max()))
    if bad:
        got = f"{bad:,} that are NaN or infinite, the first in row {first} (counted from 0)"
        raise InputError("images", "hold finite pixel values", got, "Leave those images out or repair them.")
    if of_range == "type" and (low < 0 or high > 1):
        mend = "Set scaling.range to min_max or percentile."
        raise InputError(
            "images", "lie in [0, 1] where they are floats and scaling.range is type", f"[{low:g}, {high:g}]", mend
        )
