"""Images with a table: what every source gives and everything else takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from vaelab.data.stored import Pixels, read


@dataclass(frozen=True, eq=False, kw_only=True)
class ImageCollection:
    """Images as stored, a table with one row per image, and the names of the channels.

    Never coerced to RGB, never to 8 bits.

    >>> images = np.zeros((2, 1, 8, 8), np.uint8)
    >>> ImageCollection(images=images, table=pd.DataFrame({"label": ["a", "b"]}))
    ImageCollection(2 images, 1x8x8 uint8, channels: 0; table: label)
    """

    images: Pixels
    """(image, channel, height, width); uint8, uint16 or float32: an array, mapped from a file or not, or any
    `StoredImages`."""
    table: pd.DataFrame
    """One row per image, any columns, index 0 to n-1. Bytes of a name that are no text in UTF-8 are escaped."""
    channels: tuple[str, ...] = ()
    """One name per channel; left out, they are numbered from 0."""
    factors: tuple[str, ...] = ()
    """The table's columns that hold exact ground-truth factors, where they are known."""
    left_out: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """(file, reason) for every file that could not be used."""
    files: np.ndarray | None = field(default=None, repr=False)
    """A number per image, the same for the images of one file; None: nothing is known of files."""
    notes: tuple[str, ...] = field(default=(), repr=False)
    """What a reader should know of how the images and their table were read, a sentence each, without a full stop."""

    def __post_init__(self):
        if not self.channels:
            object.__setattr__(self, "channels", tuple(str(i) for i in range(self.images.shape[1])))
        object.__setattr__(self, "channels", tuple(map(speakable, self.channels)))
        table = self.table
        words = [name for name, column in table.items() if pd.api.types.infer_dtype(column) in ("string", "mixed")]
        odd = {str(name): _escaped(table[name].tolist()) for name in words}
        if any(odd.values()):
            object.__setattr__(self, "table", table.assign(**{name: values for name, values in odd.items() if values}))

    def __len__(self) -> int:
        return len(self.images)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channel, height, width)."""
        _, channels, height, width = self.images.shape
        return channels, height, width

    def take(self, rows: np.ndarray) -> ImageCollection:
        """The same collection with these rows only, in this order; copies their images."""
        return replace(
            self,
            images=read(self.images, rows),
            table=self.table.iloc[rows].reset_index(drop=True),
            files=None if self.files is None else self.files[rows],
        )

    def __repr__(self) -> str:
        channels, height, width = self.image_shape
        return (
            f"ImageCollection({len(self):,} images, {channels}x{height}x{width} {self.images.dtype}, "
            f"channels: {', '.join(self.channels)}; table: {', '.join(map(str, self.table.columns)) or 'no columns'})"
        )


def speakable(text: str) -> str:
    """The text, with what cannot be encoded, such as a byte of a file's name in Latin-1, escaped.

    >>> speakable("caf\\udce9"), speakable("caf\xe9")
    ('caf\\\\udce9', 'café')
    """
    return text.encode("utf-8", "backslashreplace").decode()


def _escaped(values: list[object]) -> list[object]:
    """The values with every text speakable; none of them where they are so already."""
    escaped = [speakable(value) if isinstance(value, str) and not value.isascii() else value for value in values]
    return escaped if any(a is not b and a != b for a, b in zip(values, escaped, strict=True)) else []
