"""Arrays that follow from others: which, and how."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from vaelab.metrics._coranking import MOST_IMAGES, co_ranks

MOST_NUMBERS = 50_000_000
"""Of pixels that are held at once for neighbourhoods, 200 MB: 10,000 images of 5,000 pixels, 4,069 of 64x64x3."""


class DrawnImages:
    """Some of a stream of images, each as likely as any other: 10,000 at most, fewer where they pass 200 MB.

    Args:
        seed: Of the draw.

    *Source*: Vitter 1985, Random sampling with a reservoir, algorithm R.

    >>> drawn = DrawnImages()
    >>> drawn.add(np.zeros((3, 1, 2, 2)))
    >>> drawn.pixels.shape, drawn.mask.tolist()
    ((3, 4), [True, True, True])
    """

    def __init__(self, seed: int = 0):
        self._random = np.random.default_rng(seed)
        self._pixels, self._rows, self._seen = np.empty((0, 0), np.float32), np.empty(0, np.int64), 0

    def add(self, images: np.ndarray) -> None:
        """Takes the next images, (image, ...)."""
        images = images.reshape(len(images), -1)
        if not self._seen:
            most = max(2, min(MOST_IMAGES, MOST_NUMBERS // max(1, images.shape[1])))
            self._pixels, self._rows = np.empty((most, images.shape[1]), np.float32), np.full(most, -1)
        rows = np.arange(self._seen, self._seen + len(images))
        places = np.where(rows < len(self._rows), rows, self._random.integers(rows + 1))
        kept = places < len(self._rows)
        self._pixels[places[kept]], self._rows[places[kept]] = images[kept], rows[kept]
        self._seen += len(images)

    @property
    def pixels(self) -> np.ndarray:
        """(drawn image, pixel), in the images' order."""
        if self._seen <= len(self._rows):
            return self._pixels[: self._seen]
        return self._pixels[np.argsort(self._rows)]

    @property
    def mask(self) -> np.ndarray:
        """(image,): which of them were drawn."""
        mask = np.zeros(self._seen, bool)
        mask[self._rows[self._rows >= 0]] = True
        return mask


def _drawn(images: np.ndarray) -> DrawnImages:
    drawn = DrawnImages()
    drawn.add(images)
    return drawn


def _of_unit_scale(factors: np.ndarray) -> np.ndarray:
    factors = np.asarray(factors, np.float64)
    scale = factors.std(0)
    return factors / np.where(scale > 0, scale, 1)


DERIVED: dict[str, tuple[tuple[str, ...], Callable[..., np.ndarray]]] = {
    "elbos": (("distortions", "rates"), lambda distortions, rates: -(distortions + rates)),
    "pixels": (("images",), lambda images: _drawn(images).pixels),
    "drawn": (("images",), lambda images: _drawn(images).mask),
    "image_ranks": (("codes", "pixels", "drawn"), lambda codes, pixels, drawn: co_ranks(codes[drawn], pixels)),
    "factor_ranks": (("codes", "factors"), lambda codes, factors: co_ranks(codes, _of_unit_scale(factors))),
}
"""Name -> what it follows from, and how."""


def sources(name: str, there: Collection[str]) -> set[str]:
    """What of the things that are there this one follows from; itself where it is there, or follows from nothing."""
    if name in there or name not in DERIVED:
        return {name}
    return set().union(*(sources(need, there) for need in DERIVED[name][0]))


def fill(given: dict[str, Any], name: str) -> None:
    """Adds an array to those given, and what lies between, if it follows from them."""
    if name in given or name not in DERIVED or not given.keys() >= sources(name, given):
        return
    needs, follow = DERIVED[name]
    for need in needs:
        fill(given, need)
    given[name] = follow(*(given[need] for need in needs))
