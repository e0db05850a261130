"""Images by row number as a model takes them: gathered, converted, nothing done per image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from vaelab.data.rows import Rows, row_numbers
from vaelab.data.scaling import Intensity
from vaelab.data.stored import Pixels, blocks, num_bytes, stored
from vaelab.shapes import Images


class Feed:
    """Gives images of a collection as float32 in [0, 1].

    Rows are copied out of the stored images into a buffer that is kept, wherever these lie, so that a collection larger
    than the memory trains; or all of them are placed on the device once, as they are stored, and gathered there.

    Args:
        images: An array (image, channel, height, width), or any `StoredImages`.
        intensity: The scaling to [0, 1].
        binarize: ``no``; ``threshold``: 1 above 0.5, else 0; ``dynamic``: 1 with the probability that the pixel's value
            says, drawn anew whenever it is fed, from torch's global generator.
        device: Where the images are wanted.
        resident: Keep all images on the device; left out, where that is a GPU of whose free memory they take at most
            half.
        parts: Name -> rows of parts of the collection, such as the held-out images.
    """

    def __init__(
        self,
        images: Pixels,
        intensity: Intensity,
        binarize: Literal["no", "threshold", "dynamic"] = "no",
        device: str | torch.device = "cpu",
        resident: bool | None = None,
        parts: Mapping[str, np.ndarray] | None = None,
    ):
        self.images, self.intensity, self.binarize, self.device = images, intensity, binarize, torch.device(device)
        self.parts = dict(parts or {})
        self._source, self._top = stored(images), _top(images.dtype, intensity)
        self._gathered = np.empty((0, *images.shape[1:]), images.dtype)
        if resident is None:
            resident = self.device.type == "cuda" and num_bytes(images) <= torch.cuda.mem_get_info(self.device)[0] / 2
        self.resident = _placed(images, self.device) if resident else None
        """All images on the device, as stored; None: they do not lie there."""

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.images.shape[1:]))
        parts = "".join(f", {len(rows):,} {name}" for name, rows in self.parts.items())
        return f"<Feed: {len(self):,} images of {size}, {self.images.dtype} as stored{parts}>"

    def __call__(self, rows: Rows, own: slice | None = None) -> Images:
        """The images of these rows, in this order: row numbers, a mask, a slice, or the name of a part.

        Args:
            rows: Which.
            own: Only those at these places among them; what is random is drawn for all, so that an image's follows from
                its place.

        Raises:
            InputError: They cannot be read as such, or a row is not there.
        """
        numbers = row_numbers(rows, len(self), self.parts)
        own = own or slice(0, len(numbers))
        return self.convert(self._gather(numbers[own]), len(numbers), own)

    def batches(self, rows: Rows | None = None, batch_size: int = 256) -> Iterator[Images]:
        """All images of these rows (default: of the collection) in order, in batches."""
        numbers = row_numbers(slice(None) if rows is None else rows, len(self), self.parts)
        return (self(numbers[start : start + batch_size]) for start in range(0, len(numbers), batch_size))

    def _gather(self, rows: np.ndarray) -> Tensor:
        if self.resident is not None:
            return self.resident.index_select(0, torch.from_numpy(rows).to(self.device))
        if len(self._gathered) != len(rows):
            self._gathered = np.empty((len(rows), *self.images.shape[1:]), self.images.dtype)
        self._source.take(rows, self._gathered)
        return torch.from_numpy(self._gathered).to(self.device)

    def convert(self, stored: Tensor, count: int, own: slice) -> Images:
        """Images as a model takes them, from those at these places of a batch of `count`, as stored."""
        x = stored.float().div_(self._top) if self._top else self.intensity.apply(stored)
        if self.binarize == "threshold":
            return (x > 0.5).float()
        if self.binarize == "dynamic":
            return torch.rand((count, *x.shape[1:]), device=x.device)[own].lt_(x)
        return x


def _placed(images: Pixels, device: torch.device) -> Tensor:
    """All images on a device, as stored."""
    kind = torch.from_numpy(np.empty(0, images.dtype)).dtype
    placed = torch.empty(images.shape, dtype=kind, device=device)
    for start, block in blocks(images):
        placed[start : start + len(block)] = torch.from_numpy(block)
    return placed


def _top(dtype: np.dtype, intensity: Intensity) -> float | None:
    """The pixel type's largest value where dividing by it is the whole scaling: one pass over the pixels."""
    if dtype.kind != "u" or intensity.square_root or any(intensity.lo):
        return None
    top = float(np.iinfo(dtype).max)
    return top if set(intensity.hi) == {top} else None
