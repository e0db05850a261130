"""Images by row number as a model takes them: gathered, converted, nothing done per image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from vaelab.data.mapped import let_go, mapping
from vaelab.data.scaling import Intensity
from vaelab.errors import InputError
from vaelab.shapes import Images

_RELEASE_BYTES = 256 << 20
_READ_AROUND = 64 << 10
"""Bytes that the system may map around a row that is read from a file."""


class Feed:
    """Gives images of a collection as float32 in [0, 1].

    On the CPU rows are copied out of the stored array into a buffer that is kept, whatever its size and wherever it
    lies; pages of a memory-mapped file are let go again, so that a collection larger than the memory trains. On another
    device the stored images are placed there once, as they are, and gathered there.

    Args:
        images: (image, channel, height, width), as stored.
        intensity: The scaling to [0, 1].
        binarize: ``no``; ``threshold``: 1 above 0.5, else 0; ``dynamic``: 1 with the probability that the pixel's value
            says, drawn anew whenever it is fed, from torch's global generator.
        device: Where the images are wanted.
    """

    def __init__(
        self,
        images: np.ndarray,
        intensity: Intensity,
        binarize: Literal["no", "threshold", "dynamic"] = "no",
        device: str | torch.device = "cpu",
    ):
        self.images, self.intensity, self.binarize, self.device = images, intensity, binarize, torch.device(device)
        self._is_mapped, self._top = mapping(images) is not None, _top(images, intensity)
        self._gathered = 0
        self._stored = np.empty((0, *images.shape[1:]), images.dtype)
        self._resident = None if self.device.type == "cpu" else torch.from_numpy(np.array(images)).to(self.device)

    def __len__(self) -> int:
        return len(self.images)

    def __call__(self, rows: np.ndarray) -> Images:
        """The images of these rows (int64), in this order.

        Raises:
            InputError: A row is not there.
        """
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            got = rows.min() if rows.min() < 0 else rows.max()
            raise InputError("rows of images", f"be from 0 to {len(self) - 1}", got)
        return self._convert(self._gather(rows))

    def batches(self, rows: np.ndarray | None = None, batch_size: int = 256) -> Iterator[Images]:
        """All images of these rows (default: of the collection) in order, in batches."""
        rows = np.arange(len(self)) if rows is None else rows
        for start in range(0, len(rows), batch_size):
            yield self(rows[start : start + batch_size])

    def _gather(self, rows: np.ndarray) -> Tensor:
        if self._resident is not None:
            return self._resident.index_select(0, torch.from_numpy(rows).to(self.device))
        if len(self._stored) != len(rows):
            self._stored = np.empty((len(rows), *self.images.shape[1:]), self.images.dtype)
        np.take(self.images, rows, axis=0, out=self._stored, mode="clip")
        self._release(self._stored.nbytes + len(rows) * _READ_AROUND)
        return torch.from_numpy(self._stored)

    def _convert(self, stored: Tensor) -> Images:
        x = stored / self._top if self._top else self.intensity.apply(stored)
        if self.binarize == "threshold":
            return (x > 0.5).float()
        if self.binarize == "dynamic":
            return torch.rand_like(x).lt_(x)
        return x

    def _release(self, num_bytes: int) -> None:
        """Lets go of the file's pages now and then."""
        self._gathered += num_bytes
        if self._is_mapped and self._gathered > _RELEASE_BYTES:
            let_go(self.images)
            self._gathered = 0


def _top(images: np.ndarray, intensity: Intensity) -> float | None:
    """The pixel type's largest value where dividing by it is the whole scaling: one pass over the pixels."""
    if images.dtype.kind != "u" or intensity.square_root or any(intensity.lo):
        return None
    top = float(np.iinfo(images.dtype).max)
    return top if set(intensity.hi) == {top} else None
