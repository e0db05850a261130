"""In which order the images of a pass are trained on: any anywhere, or in chunks where the disk is slow."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np

from vaelab.data.stored import Pixels, is_mapped, num_bytes, read, stored
from vaelab.machine import free_memory

Order = Literal["exact", "chunks"]
CHUNK_BYTES = 8 << 20
"""About so many bytes of neighbouring images come into the buffer together."""
BUFFER_CHUNKS = 32
"""So many chunks from anywhere are shuffled together."""
SLOW_S, TIMES = 1e-3, 4.0
"""Reading at random is slow where an image takes over so many seconds, and so many times one of a row of images."""
_TRIED = 64


def pass_order(rows: np.ndarray, seed: int, epoch: int, order: Order = "exact", image_bytes: int = 1) -> np.ndarray:
    """The rows in the order of a pass, which follows from seed and pass.

    exact: a random permutation. chunks: the sorted rows are cut into chunks of about 8 MiB; the chunks are shuffled,
    and the images of every 32 that follow each other are shuffled together, so that no more than these have to be at
    hand at once.

    Args:
        rows: Row numbers, sorted.
        seed: Of the training.
        epoch: Which pass.
        order: exact or chunks.
        image_bytes: Bytes of one image, by which chunks are cut.

    >>> sorted(pass_order(np.arange(9), 0, 0, "chunks", 4 << 20).tolist()) == list(range(9))
    True
    """
    generator = np.random.default_rng([seed, epoch])
    if order == "exact":
        return rows[generator.permutation(len(rows))]
    size = max(1, CHUNK_BYTES // image_bytes)
    starts = generator.permutation(-(-len(rows) // size)) * size
    found = []
    for first in range(0, len(starts), BUFFER_CHUNKS):
        together = np.concatenate([rows[start : start + size] for start in starts[first : first + BUFFER_CHUNKS]])
        found.append(together[generator.permutation(len(together))])
    return np.concatenate(found) if found else rows


def measured_order(images: Pixels, rows: np.ndarray) -> tuple[Order, str]:
    """Whether images can be read at random, by timing, and a sentence on it.

    Where they are in memory, or take at most half of what of it is free, so that the system's cache will hold them,
    nothing is timed and nothing is said.

    Args:
        images: As stored.
        rows: Those that are trained on.
    """
    if not is_mapped(images) or num_bytes(images) <= free_memory() / 2 or len(rows) < 4 * _TRIED:
        return "exact", ""
    generator = np.random.default_rng(0)
    first = int(generator.integers(len(rows) - _TRIED))
    at_random, in_a_row = _seconds(images, generator.choice(rows, _TRIED)), _seconds(images, rows[first:][:_TRIED])
    slow = at_random > SLOW_S and at_random > TIMES * in_a_row
    order: Order = "chunks" if slow else "exact"
    how = "in chunks that are shuffled together" if slow else "in any order"
    return order, (
        f"images are read {how}, as one at random takes {1e3 * at_random:.3g} ms here "
        f"and one of a row of them {1e3 * in_a_row:.3g} ms"
    )


def image_bytes(images: Pixels) -> int:
    """Bytes of one image."""
    return max(1, num_bytes(images) // max(1, len(stored(images))))


def _seconds(images: Pixels, rows: np.ndarray) -> float:
    """Per image."""
    start = time.perf_counter()
    read(images, rows)
    return (time.perf_counter() - start) / len(rows)
