"""Images a few at a time, whether they come as one tensor or as a stream."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from torch import Tensor

from vaelab.errors import InputError
from vaelab.models import Model, device_of
from vaelab.shapes import Images

ImageBatches = Tensor | Iterable[Tensor]
"""Images in [0, 1], (image, channel, height, width), as one tensor or a stream of such tensors (a generator, such as
`Feed.batches`), so that collections larger than the memory can be looked at. `batches` checks them."""

_ROUNDING = 1e-5


def batches(model: Model, images: ImageBatches, batch_size: int = 256) -> Iterator[tuple[Model, Images]]:
    """The images on the model's device, at most batch_size at a time, in order; and the model for them.

    A model that was given a condition for each image comes back with those of the batch.

    Args:
        model: Says which shape they must have, and is given their conditions if it takes any.
        images: In [0, 1].
        batch_size: Images that go through the networks at once; 1 or more.

    Raises:
        InputError: There are no images, or they are not such as the model takes.
    """
    if batch_size < 1:
        raise InputError("batch_size", "be at least 1", batch_size)
    device, count = device_of(model), 0
    for batch in [images] if isinstance(images, Tensor) else images:
        _check(batch, model.image_shape)
        for x in batch.split(batch_size):
            if len(x):
                yield model.part(count, count + len(x)), x.to(device)
                count += len(x)
    if not count:
        raise InputError("images", "hold at least one image", "none")


def images_at_once(image_shape: tuple[int, int, int]) -> int:
    """How many images should go through the networks together: 256, fewer where their activations fill the memory.

    A convolution at full resolution holds some 64 numbers for each pixel, and is fast only where the caches help.

    >>> images_at_once((1, 28, 28)), images_at_once((1, 256, 256))
    (256, 15)
    """
    pixels = math.prod(image_shape)
    return 256 if pixels <= 12_500 else max(4, 1_000_000 // pixels)


def _check(batch: Any, image_shape: tuple[int, int, int]) -> None:
    if not isinstance(batch, Tensor) or not batch.is_floating_point():
        got = batch.dtype if isinstance(batch, Tensor) else type(batch).__name__
        raise InputError("images", "be float tensors in [0, 1]", got, "Feed gives them, from any collection.")
    if batch.ndim != 4 or tuple(batch.shape[1:]) != tuple(image_shape):
        shape = ", ".join(map(str, image_shape))
        raise InputError("images", f"be of shape (image, {shape})", tuple(batch.shape), "The model was made for these.")
    if len(batch):
        low, high = (float(value) for value in batch.aminmax())
        if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
            raise InputError("images", "lie in [0, 1]", f"values from {low:g} to {high:g}")
