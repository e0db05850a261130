"""Where in the image a direction acts: what changes pixel by pixel as codes are moved from end to end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaelab.errors import InputError
from vaelab.explanation.meaning import FEWEST, Decoder
from vaelab.inference.moved import moved_to

NUM_RESAMPLES, _AT_ONCE = 2000, 100
NEGLIGIBLE = 0.01
"""Of the range of intensities, black to white: a change that is not shown to be larger is not drawn."""
_FLAT = 1e-6


@dataclass(frozen=True, eq=False, kw_only=True)
class Where:
    """How pixels change along directions."""

    changes: np.ndarray
    """(direction, channel, height, width): at the upper end less at the lower end, in the mean over images; 1 is from
    black to white."""
    margins: np.ndarray
    """(direction, channel, height, width): half the width of its interval; those of all pixels and channels of a
    direction hold together with 95 %."""

    @property
    def shown(self) -> np.ndarray:
        """(direction, channel, height, width): True where a change of more than 0.01 is shown."""
        return np.abs(self.changes) - self.margins > NEGLIGIBLE


def where(
    decode: Decoder, codes: np.ndarray, rows: np.ndarray, vectors: np.ndarray, ends: np.ndarray, seed: int = 0
) -> Where:
    """Which pixels change as codes are moved along each direction, the rest of each code kept.

    Args:
        decode: From codes to images, as of `meaning_of`.
        codes: (image, latent), of real images; 8 or more.
        rows: (image,): which images they come from.
        vectors: (direction, latent), of length 1.
        ends: (direction, 2): between which places they are moved.
        seed: Of the resampling.

    Raises:
        InputError: There are fewer than 8 images.
    """
    found = []
    for vector, (start, end) in zip(vectors, ends, strict=True):
        before, after = (decode(moved_to(codes, vector, place), rows) for place in (start, end))
        change = after.astype(np.float64) - before
        mean, margin = simultaneous(change.reshape(len(codes), -1), seed)
        found.append((mean.reshape(change.shape[1:]), margin.reshape(change.shape[1:])))
    changes, margins = (np.stack(each) for each in zip(*found, strict=True))
    return Where(changes=changes, margins=margins)


def simultaneous(differences: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(pixel,) each: means over images, and half the widths of intervals that all hold together with 95 %.

        margin = c * standard error,  c the 95 % quantile over resamples of images of max_pixels |mean* - mean| / error

    So pixels that move together cost no more than one of them does. A pixel that is the same for all images has none.

    Args:
        differences: (image, pixel), of 8 images or more.
        seed: Of the resampling, 2,000 times.

    Raises:
        InputError: There are fewer than 8 images.

    *Source*: Westfall and Young 1993, Resampling-based multiple testing (the largest of all statistics).

    >>> mean, margin = simultaneous(np.random.default_rng(0).normal(size=(400, 1)))
    >>> bool(1.8 < margin[0] * 20 < 2.1)  # of one pixel alone, about 1.96 standard errors
    True
    """
    count = len(differences)
    if count < FEWEST:
        raise InputError("the images whose codes are moved", f"be at least {FEWEST}", count, "Intervals need them.")
    mean, error = differences.mean(0), differences.std(0, ddof=1) / np.sqrt(count)
    varies = error > _FLAT * max(float(error.max()), 1e-300)
    scaled = (differences[:, varies] - mean[varies]) / error[varies]
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), NUM_RESAMPLES) / count
    parts = range(0, NUM_RESAMPLES, _AT_ONCE)
    largest = np.concatenate([np.abs(draws[i : i + _AT_ONCE] @ scaled).max(1, initial=0) for i in parts])
    return mean, float(np.quantile(largest, 0.95)) * error
