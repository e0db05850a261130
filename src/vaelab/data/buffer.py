"""A batch of images at a place on the device that stays, for a step that is captured once."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from vaelab.data.feed import Feed
from vaelab.data.stored import num_bytes, stored
from vaelab.shapes import Images

Places = Int64[Tensor, " row"]


class Buffer:
    """The images of a batch, gathered on the device where all lie there, else streamed into a place that stays.

    Of two pinned pieces of the host's memory one is filled while the other is on its way to the device, so that
    gathering, sending and computing go on at once.

    Args:
        feed: Gives the images.
        count: Images of a batch.
    """

    def __init__(self, feed: Feed, count: int):
        self.feed, self.count, self.turn = feed, count, 0
        self.on_gpu = feed.device.type == "cuda"
        if feed.resident is None:
            kind = torch.from_numpy(np.empty(0, feed.images.dtype)).dtype
            shape = (count, *feed.images.shape[1:])
            self.place = torch.zeros(shape, dtype=kind, device=feed.device)
            self.hosts = [torch.zeros(shape, dtype=kind, pin_memory=self.on_gpu) for _ in range(2)]
            self.sent = [torch.cuda.Event() if self.on_gpu else None for _ in range(2)]
            self.source = stored(feed.images)

    def __str__(self) -> str:
        size = f"{num_bytes(self.feed.images) / 1e6:,.0f} MB of images"
        if self.feed.resident is not None:
            return f"{size} lie on the device."
        return f"{size}, more than half of the device's free memory, are streamed to it through pinned buffers."

    def fill(self, rows: np.ndarray) -> None:
        """Sends the images of these rows, if they do not lie on the device; nothing waits until they are there."""
        if self.feed.resident is not None:
            return
        host, sent = self.hosts[self.turn], self.sent[self.turn]
        if sent is not None:
            sent.synchronize()  # of two batches ago
        self.source.take(rows, host.numpy())
        self.place.copy_(host, non_blocking=True)
        if sent is not None:
            sent.record()
        self.turn = 1 - self.turn

    def __call__(self, rows: Places) -> Images:
        """The images as a model takes them: of these rows, or those that were sent last."""
        resident = self.feed.resident
        found = self.place if resident is None else resident.index_select(0, rows)
        return self.feed.convert(found, self.count, slice(0, self.count))
