"""Memory-mapped images: the pages that were read are let go again, so that any collection fits beside the model."""

from __future__ import annotations

import mmap

import numpy as np


def mapping(images: np.ndarray) -> mmap.mmap | None:
    """The memory map that lies under an array, if one does."""
    base: object = images
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None


def let_go(images: np.ndarray) -> None:
    """Takes a mapped file's pages out of this process's memory; the system's cache keeps them. Other arrays stay."""
    mapped = mapping(images)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
