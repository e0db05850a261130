"""Images a few at a time, whether they come as one tensor or as a stream."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from vaelab.errors import InputError
from vaelab.models import Model, device_of
from vaelab.shapes import Images

ImageBatches = Tensor | np.ndarray | Iterable[Tensor | np.ndarray]
"""Images in [0, 1], (image, channel, height, width), as one tensor or array, or as a stream of such (a generator, such
as `Feed.batches`), so that collections larger than the memory can be looked at. `batches` checks them."""

_ROUNDING = 1e-5


@runtime_checkable
class Trained(Protocol):
    """A model with images of its own, such as a run."""

    @property
    def model(self) -> Model:
        """The model."""
        ...

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels' names."""
        ...

    def images_for(self, images: Any) -> tuple[Model, ImageBatches]:
        """Images by whatever name they have there, and the model for them; None: all of them."""
        ...


def model_of(model: Model | Trained) -> Model:
    """The model itself.

    Raises:
        InputError: It is neither a model nor a run.
    """
    if isinstance(model, Model):
        return model
    if isinstance(model, Trained):
        return model.model
    raise InputError("the model", "be a model or a run", type(model).__name__, "vaelab.load(FOLDER) gives a run.")


def opened(model: Model | Trained, images: Any = None) -> tuple[Model, ImageBatches]:
    """The model for these images, and the images: of a run also by row numbers, a mask, or the name of a part.

    Raises:
        InputError: It is neither a model nor a run, or a model without images.
    """
    if isinstance(model, Trained) and not isinstance(model, Model):
        return model.images_for(images)
    if images is None:
        raise InputError("images", "be given with a model", "none", "A run knows its own: vaelab.embed(run).")
    return model_of(model), images


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
    for batch in [images] if isinstance(images, Tensor | np.ndarray) else images:
        for x in _checked(batch, model.image_shape).split(batch_size):
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


def _checked(batch: Any, image_shape: tuple[int, int, int]) -> Images:
    """A batch as float32."""
    array = torch.from_numpy(batch) if isinstance(batch, np.ndarray) and batch.dtype.kind == "f" else batch
    if not isinstance(array, Tensor) or not array.is_floating_point():
        got = getattr(batch, "dtype", type(batch).__name__)
        mend = "Feed scales stored pixels, and so does a run: vaelab.embed(run, images)."
        raise InputError("images", "be floats in [0, 1]", got, mend)
    batch = array.float()
    if batch.ndim != 4 or tuple(batch.shape[1:]) != tuple(image_shape):
        shape = ", ".join(map(str, image_shape))
        raise InputError("images", f"be of shape (image, {shape})", tuple(batch.shape), "The model was made for these.")
    if len(batch):
        low, high = (float(value) for value in batch.aminmax())
        if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
            raise InputError("images", "lie in [0, 1]", f"values from {low:g} to {high:g}")
    return batch
