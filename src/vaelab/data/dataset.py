"""The images of a run: where they come from, how they are scaled and how they are divided."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BufferedWriter, RawIOBase, TextIOWrapper
from typing import Annotated, Any, Literal

import numpy as np

from vaelab.data.collection import ImageCollection
from vaelab.data.conditions import Condition, encode_conditions, fit_conditions, matching
from vaelab.data.scaling import Intensity, Scaling, faint_channels
from vaelab.data.sources import Source
from vaelab.data.split import Split, Splits
from vaelab.data.stored import Pixels, SelectedImages, blocks, is_mapped, num_bytes, read, stored
from vaelab.errors import InputError
from vaelab.settings.ranges import Added, Settings

WHOLE_BYTES = 1 << 30
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Data(Settings):
    """The setting of the images that a run learns from."""

    source: Source
    """Where the images come from."""
    scaling: Scaling = field(default_factory=Scaling)
    """How stored intensities become numbers in [0, 1]."""
    split: Split = field(default_factory=Split)
    """How the images are divided into train, validation and test."""
    binarize: Literal["no", "threshold", "dynamic"] = "no"
    """Pixels as 0 or 1 when they are fed: no; threshold: 1 above 0.5, else 0; dynamic: each pixel is drawn anew
    whenever it is fed, 1 with the probability that its value in [0, 1] says."""
    condition: tuple[str, ...] = ()
    """Columns of the table under which the model sees each image: text and whole numbers as categories, others as
    numbers; ``name:category`` and ``name:number`` say it. The encoder and the decoder read them."""
    only: Annotated[tuple[str, ...], Added()] = ()
    """Which images of the source there are, such as ``label=1,label=7``: those that have one of the values of each
    column that is named. Empty: all."""

    def chosen(self, collection: ImageCollection) -> ImageCollection:
        """The images of a source that there are.

        Raises:
            InputError: A column is not there, or no image has a value.
        """
        wanted = matching(collection.table, self.only, "only")
        if wanted.all():
            return collection
        rows = np.flatnonzero(wanted)
        if not is_mapped(collection.images):
            return collection.take(rows)
        files = None if collection.files is None else collection.files[rows]
        table = collection.table.iloc[rows].reset_index(drop=True)
        return replace(collection, images=SelectedImages(collection.images, rows), table=table, files=files)


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """Images ready to be fed."""

    collection: ImageCollection
    """The images as stored, with their table."""
    splits: Splits
    """Rows of train, validation and test."""
    intensity: Intensity
    """The scaling, measured on the training rows."""
    conditions: tuple[Condition, ...] = ()
    """What the table's columns amount to under which the model sees the images, by the training rows."""

    @cached_property
    def content_hash(self) -> str:
        """See `content_hash`; computed once."""
        return content_hash(self.collection)

    @cached_property
    def crossing(self) -> tuple[str, ...]:
        """What of held-out images is not new, a sentence each: frames of files that training saw, and exact copies.

        Copies are looked for in collections of up to 1 GiB.
        """
        held_out = len(self.splits.validation) + len(self.splits.test)
        found = []
        if self.collection.files is not None and (count := _repeated(self.collection.files, self.splits)):
            found.append(
                f"{count:,} of {held_out:,} held-out images come from files of which other parts hold images too, and "
                "may be nearly the same as these; data.split.group keeps together what belongs together"
            )
        if num_bytes(self.collection.images) <= WHOLE_BYTES:
            marks = [hash(image.tobytes()) for _, block in blocks(self.collection.images) for image in block]
            if count := _repeated(np.array(marks, np.int64), self.splits):
                found.append(f"{count:,} of {held_out:,} held-out images are exact copies of images in other parts")
        return tuple(found)

    @cached_property
    def faint(self) -> tuple[str, ...]:
        """A sentence for each channel that is nearly constant over the training images."""
        collection = self.collection
        return faint_channels(collection.images, self.splits.train, self.intensity, collection.channels)

    def condition_numbers(self) -> np.ndarray | None:
        """(image, number): the condition of every image; None where there is none."""
        return encode_conditions(self.conditions, self.collection.table) if self.conditions else None


def prepare(data: Data, *, strict: bool = False, progress: bool = False) -> Dataset:
    """Loads, divides and measures.

    Args:
        data: The setting.
        strict: Refuse the images when any file cannot be used, instead of leaving it out.
        progress: Show a progress bar for work of over a second.

    Raises:
        InputError: The images cannot be read, divided or scaled as asked.
    """
    with data.source.named("source"):
        collection = data.source.load(strict=strict, progress=progress)
    collection = data.chosen(collection)
    with data.split.named("split"):
        splits = data.split.assign(collection.table, collection.files)
    intensity = data.scaling.fit(collection.images, splits.train)
    _refuse_masks(collection.images, splits.train, data.scaling)
    conditions = fit_conditions(data.condition, collection.table, splits.train)
    return Dataset(collection=collection, splits=splits, intensity=intensity, conditions=conditions)


def content_hash(collection: ImageCollection) -> str:
    """A name for what a collection holds: images, table, channel names.

    Up to 1 GiB of pixels every byte counts; of more, 1,024 evenly spaced pieces of about 1 MiB.

    >>> import pandas as pd
    >>> a = ImageCollection(images=np.zeros((2, 1, 8, 8), np.uint8), table=pd.DataFrame({"label": [0, 1]}))
    >>> same, swapped = a.take(np.array([0, 1])), a.take(np.array([1, 0]))
    >>> content_hash(a) == content_hash(same), content_hash(a) == content_hash(swapped)
    (True, False)
    """
    images = stored(collection.images)
    head = (images.shape, images.dtype.str, collection.channels, tuple(map(str, collection.table.columns)))
    digest = hashlib.sha256(repr(head).encode())
    if num_bytes(images) <= WHOLE_BYTES:
        pieces = (block for _, block in blocks(images))
    else:
        step = max(1, BLOCK_BYTES * len(images) // num_bytes(images))
        starts = np.linspace(0, len(images) - step, WHOLE_BYTES // BLOCK_BYTES).astype(np.int64)
        pieces = (read(images, np.arange(start, start + step)) for start in starts)
    for piece in pieces:
        digest.update(piece.data)
    with TextIOWrapper(BufferedWriter(_Hashed(digest)), "utf-8", "surrogateescape", newline="") as text:
        collection.table.to_csv(text, index=False, lineterminator="\n")
    return digest.hexdigest()


class _Hashed(RawIOBase):
    """A file of which nothing is kept but the digest, so that a long table is never one text."""

    def __init__(self, digest: Any):
        self.digest = digest

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return len(data)


def _refuse_masks(images: Pixels, train: np.ndarray, scaling: Scaling) -> None:
    """Whole-number images of nothing but 0 and 1 would all be black when 255 becomes 1."""
    if scaling.range != "type" or images.dtype.kind != "u":
        return
    some = read(images, train[np.linspace(0, len(train) - 1, min(len(train), 256)).astype(np.int64)])
    if some.max() == 1:
        got = "0 and 1 only, which would be black"
        raise InputError("images", f"use the range of {images.dtype}", got, "Set scaling.range to min_max.")


def _repeated(marks: np.ndarray, splits: Splits) -> int:
    """How many validation images have the mark of a training image, and test images that of either."""
    in_validation = np.isin(marks[splits.validation], marks[splits.train])
    in_test = np.isin(marks[splits.test], marks[np.concatenate([splits.train, splits.validation])])
    return int(in_validation.sum() + in_test.sum())
