"""How far a point of latent space lies from the images' codes, and which images are nearest there."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property

import numpy as np

NUM_NEIGHBOURS = 10
"""The distance to the tenth nearest image says how sparse a place is."""
MOST_SAMPLED, FEWEST_SAMPLED = 2000, 200
"""Images, evenly spaced, whose own distances are the yardstick: fewer where there are many images."""
_DISTANCES = 1 << 26
_PASS = 1 << 14
"""Images that are looked at together: what is computed of them stays in the processor's cache."""


@dataclass(frozen=True, kw_only=True)
class Sparsity:
    """How sparse the data are at a point."""

    distance: float
    """Euclidean, in latent space, to its tenth nearest image, or to the farthest where there are fewer."""
    share: float
    """Of the images: those that lie in a place at least as sparse. 0: the point is farther from data than any image."""
    ratio: float
    """The distance over that of the loneliest image; above 1 no image lies in a place so sparse."""
    num_images: int
    """Images that it was compared with."""


class Neighbours:
    """Exact nearest neighbours among codes, by Euclidean distance; the codes are gone through for each question.

    Args:
        codes: (image, latent).

    >>> near = Neighbours(np.arange(20.0)[:, None])
    >>> near.nearest(np.array([3.2]), 2)[0].tolist()
    [3, 4]
    >>> near.sparsity(near.nearest(np.array([500.0]), NUM_NEIGHBOURS + 1)[1]).share
    0.0
    """

    def __init__(self, codes: np.ndarray):
        self.codes = np.ascontiguousarray(codes, np.float32)
        self._lock = threading.Lock()
        self._squares = np.einsum("ij,ij->i", self.codes, self.codes)

    def nearest(self, z: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The places of the nearest images and their distances, nearest first.

        Args:
            z: (latent,).
            count: At most so many.
        """
        count = min(count, len(self.codes))
        some = min(count + 32, len(self.codes))  # what single precision has in a wrong order is put right below
        found, around, farthest = np.empty(0, np.int64), np.empty(0, np.float32), np.inf
        toward = z.astype(np.float32)
        for start in range(0, len(self.codes), _PASS):
            part = slice(start, start + _PASS)
            squares = self._squares[part] - 2 * (self.codes[part] @ toward)
            near = np.flatnonzero(squares < farthest)
            found, around = np.concatenate([found, start + near]), np.concatenate([around, squares[near]])
            if len(found) >= some:
                kept = np.argpartition(around, some - 1)[:some]
                found, around = found[kept], around[kept]
                farthest = around.max()
        exact = np.sqrt(np.square(self.codes[found].astype(np.float64) - z).sum(1))
        order = np.lexsort((found, exact))[:count]
        return found[order], exact[order]

    def sparsity(self, distances: np.ndarray) -> Sparsity:
        """How sparse the images are around a point; an image that lies exactly there does not count.

        Args:
            distances: (image,): of the `NUM_NEIGHBOURS` + 1 images nearest to the point, or of all, nearest first.
        """
        others = distances[1:] if distances[0] < 1e-6 and len(distances) > 1 else distances
        distance = float(others[:NUM_NEIGHBOURS][-1])
        known = self.typical
        share = float((known >= distance).mean())
        return Sparsity(distance=distance, share=share, ratio=distance / max(known[-1], 1e-12), num_images=len(known))

    @property
    def typical(self) -> np.ndarray:
        """(image,), rising: the distance to the tenth nearest other image of some images, or to the farthest."""
        with self._lock:  # it takes long where there are many
            return self._typical

    @cached_property
    def _typical(self) -> np.ndarray:
        count = len(self.codes)
        wanted = min(count, MOST_SAMPLED, max(FEWEST_SAMPLED, _DISTANCES // count))
        rows = np.unique(np.linspace(0, count - 1, wanted).astype(np.int64))
        return np.sort([self.nearest(self.codes[row], NUM_NEIGHBOURS + 1)[1][-1] for row in rows])
