"""Other images than a run's own, read as these were, and how far they lie from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vaelab.data import ImageCollection, Source, open_source
from vaelab.data.feed import Feed
from vaelab.data.stored import SelectedImages, blocks, is_mapped, read
from vaelab.errors import InputError
from vaelab.inference import Embedding, embed
from vaelab.runs.read import Run
from vaelab.settings.fields import field_types
from vaelab.settings.ranges import is_place
from vaelab.settings.text import override

MOST_IMAGES = 2000
"""Training images whose codes others are compared with."""
_PART = 1 << 14
"""Images whose codes are compared at once."""
UNNAMED = (("intensity",), ("red", "green", "blue"))
"""Channel names that say no more than their order."""


def read_like(
    run: Run,
    path: Path | str,
    settings: Sequence[tuple[str, str]] = (),
    *,
    strict: bool = False,
    progress: bool = False,
) -> ImageCollection:
    """Other images, read as the run's were: cropped, resized and put together likewise, their channels in its order.

    Args:
        run: Whose images they shall be like.
        path: A folder or file.
        settings: (field, text) of their source, in place of what the run's says, such as ``("size", "64,64")``.
        strict: Refuse them when any file cannot be used.
        progress: Show a progress bar.

    Raises:
        InputError: They cannot be read, lack a channel by name, or are of another shape or pixel type.
    """
    own: Any = run.experiment.data.source
    source = override(_like(own, open_source(path)), settings)
    with source.named("images"):
        collection = source.load(strict=strict, progress=progress)
    names, fits = getattr(own, "channels", ()), type(source) is type(own)
    said = any(name.replace("-", "_") == "channels" for name, _ in settings)
    if fits and not said and len(names) == len(collection.channels) and {*names} != {*collection.channels}:
        collection = replace(collection, channels=names)  # the run's files had other names too
    collection = in_order(collection, run.channels, str(path))
    if collection.image_shape != run.model.image_shape:
        should = f"hold images of {_shape(run.model.image_shape)}, as the run's were"
        sized = collection.image_shape[0] == run.model.image_shape[0]
        mend = "Say how to read them, such as --crop or --size." if sized else ""
        raise InputError(str(path), should, _shape(collection.image_shape), mend)
    if str(collection.images.dtype) != run.facts.dtype:
        should, got = f"hold {run.facts.dtype} pixels, as the run's were", str(collection.images.dtype)
        raise InputError(str(path), should, got, "Convert them: intensities would not mean the same.")
    return collection


def in_order(collection: ImageCollection, channels: tuple[str, ...], name: str) -> ImageCollection:
    """The collection with its channels in another order, by their names; as it is where either names none.

    Args:
        collection: The images.
        channels: The names, in the order that is wanted.
        name: What the images are called in messages.

    Raises:
        InputError: A channel is missing.
    """
    found = collection.channels
    if found == channels:
        return collection
    if _unnamed(found) or _unnamed(channels):
        taken = (
            f"channels are taken in their order, {', '.join(found)} for {', '.join(channels)}, as not both are named"
        )
        notes = (*collection.notes, taken) if len(found) == len(channels) > 1 else collection.notes
        return replace(collection, notes=notes)
    missing = [channel for channel in channels if channel not in found]
    if missing:
        should = f"have the channels {', '.join(channels)}, as the run's images had"
        mend = "If they only have other names, give theirs: --channels NAME,NAME."
        raise InputError(name, should, ", ".join(found), mend)
    order = [found.index(channel) for channel in channels]
    images = SelectedImages(collection.images, channels=order)
    if not is_mapped(collection.images):
        images = read(images, np.arange(len(images)))
    note = f"channels were put into the run's order: {', '.join(channels)}, where the images have {', '.join(found)}"
    return replace(collection, images=images, channels=channels, notes=(*collection.notes, note))


@dataclass(frozen=True)
class Distance:
    """How far other images lie from a run's training images."""

    clipped: dict[str, float]
    """Channel -> share of pixels beyond the stored values that became 0 and 1."""
    beyond: float | None
    """Share of codes below the smallest or above the largest of training images, latent by latent; None: these are not
    at hand."""
    num_images: int
    """Training images that the codes were compared with."""

    def words(self) -> list[str]:
        """It in sentences; nothing of pixels where none was clipped."""
        shares = [f"{max(share, 1e-4):.2%} of {name}" for name, share in self.clipped.items() if share]
        found = [f"pixels beyond the training images' range, which were clipped: {', '.join(shares)}"] if shares else []
        if self.beyond is None:
            return [*found, "codes were not compared with those of training images, which are not at hand"]
        chance = f"{2 / (self.num_images + 1):.2%} would by chance"
        count = f"{self.num_images:,} training images"
        return [*found, f"codes beyond the range of {count}: {self.beyond:.2%} ({chance})"]


def distance(run: Run, collection: ImageCollection, codes: Embedding) -> Distance:
    """How far other images lie from a run's training images, in pixels and in codes."""
    clipped, beyond, num_images = _clipped(run, collection), None, 0
    try:
        rows = run.splits.train
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_IMAGES)).astype(np.int64))]
        feed = Feed(run.dataset.collection.images, run.intensity, run.experiment.data.binarize)
        known = embed(run.given(rows), feed.batches(rows)).loc
        low, high = known.min(0), known.max(0)
        parts = (codes.loc[start : start + _PART] for start in range(0, len(codes), _PART))
        outside = sum(int(((part < low) | (part > high)).sum()) for part in parts)
        beyond = outside / codes.loc.size
        num_images = len(rows)
    except InputError:
        pass
    return Distance(clipped, beyond, num_images)


def _clipped(run: Run, collection: ImageCollection) -> dict[str, float]:
    kind = collection.images.dtype
    if kind.kind == "u" and max(run.intensity.lo) <= 0 and min(run.intensity.hi) >= np.iinfo(kind).max:
        return dict.fromkeys(collection.channels, 0.0)  # nothing can lie beyond
    lo, hi = (np.array(ends).reshape(-1, 1, 1) for ends in (run.intensity.lo, run.intensity.hi))
    count = np.zeros(len(collection.channels))
    for _, block in blocks(collection.images):
        count += np.count_nonzero((block < lo) | (block > hi), axis=(0, 2, 3))
    share = count / (len(collection) * np.prod(collection.image_shape[1:]))
    return dict(zip(collection.channels, share.tolist(), strict=True))


def _like(own: Source, other: Source) -> Source:
    """The source with the settings that the run's source has too, but where files lie and what channels are called."""
    ours, theirs = field_types(type(own)), field_types(type(other))
    named = {"channels"} if getattr(own, "channel_pattern", None) is None or type(own) is not type(other) else set()
    same = {name for name, kind in ours.items() if theirs.get(name) == kind and not is_place(kind)} - named
    return replace(other, **{name: getattr(own, name) for name in same})


def _unnamed(channels: tuple[str, ...]) -> bool:
    return channels in UNNAMED or channels == tuple(map(str, range(len(channels))))


def _shape(shape: tuple[int, int, int]) -> str:
    channels, height, width = shape
    return f"{channels} channel{'s' if channels != 1 else ''}, {height}x{width}"
