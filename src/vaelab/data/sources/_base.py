"""The contract of every source of images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from vaelab.data.collection import ImageCollection
from vaelab.settings.ranges import Settings


@dataclass(frozen=True, kw_only=True)
class Hole:
    """A part of a known plane of factors from which a source may leave out every training image."""

    inside: str
    """Column of truth values: which images lie in it."""
    factors: tuple[str, ...]
    """Columns of the plane's numbers."""
    line: str
    """Column with the name of the line across the hole that an image lies on, missing for others."""
    position: str
    """Column with the place on that line, from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Source(Settings, ABC):
    """The setting of where images come from."""

    opens: ClassVar[str] = ""
    """What its field `path` may name, in words, such as ``a folder of images``; nothing where it needs no files."""
    hole: ClassVar[Hole | None] = None
    """What it may leave out of training, where it may."""

    @classmethod
    def recognises(cls, place: Path, names: Sequence[str]) -> int:
        """How surely what lies at a place is this source's to open; the surest one does.

        Args:
            place: A folder or file that is there.
            names: What lies in the folder, in alphabetical order; none for a file.

        Returns:
            0: it can't; 1: it could if told to; 2: it can, if nobody knows better; 3: that is its own kind.
        """
        return 0

    @abstractmethod
    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """The images with their table.

        Args:
            strict: Refuse the collection when any file cannot be used, instead of leaving it out.
            progress: Show a progress bar for work of over a second.

        Raises:
            InputError: The files are not there, not images, or no image is left.
        """
