"""Small copies of stored images, in their own units and bit depth, made once."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

from vaelab.explorer.view import View
from vaelab.pictures import shrink

SIDE = 32
"""Pixels of a thumbnail's longer side at most."""
KEPT_BYTES = 64 << 20


class Thumbnails:
    """Thumbnails of a view's images, the last used of which are kept, 64 MiB at most.

    Args:
        view: Whose.
    """

    def __init__(self, view: View):
        self.view, self._kept, self._bytes, self._lock = view, OrderedDict[int, np.ndarray](), 0, threading.Lock()

    def of(self, places: list[int]) -> np.ndarray:
        """(image, channel, height, width): those of these places, as stored but for blocks of pixels that are averaged.

        Raises:
            InputError: The images are not at hand.
        """
        with self._lock:
            found = {place: self._kept[place] for place in places if place in self._kept}
            for place in found:
                self._kept.move_to_end(place)
        missing = [place for place in dict.fromkeys(places) if place not in found]
        if missing:
            made = small(self.view.stored(missing))
            found |= dict(zip(missing, made, strict=True))
            with self._lock:
                for place, image in zip(missing, made, strict=True):
                    self._keep(place, image)
        return np.stack([found[place] for place in places])

    def _keep(self, place: int, image: np.ndarray) -> None:
        if place not in self._kept:
            self._kept[place] = image.copy()
            self._bytes += image.nbytes
        while self._bytes > KEPT_BYTES:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes


def small(images: np.ndarray, side: int = SIDE) -> np.ndarray:
    """(image, channel, height, width): images whose sides are `side` pixels at most, of the same type.

    >>> small(np.full((1, 1, 64, 64), 200, np.uint8)).shape
    (1, 1, 32, 32)
    """
    shrunk, _ = shrink(images.astype(np.float32), side)
    return (shrunk if images.dtype.kind == "f" else np.rint(shrunk)).astype(images.dtype)
