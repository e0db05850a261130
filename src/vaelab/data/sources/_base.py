"""The contract of every source of images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from vaelab.data.collection import ImageCollection
from vaelab.settings.ranges import Settings


@dataclass(frozen=True, kw_only=True)
class Source(Settings, ABC):
    """The setting of where images come from."""

    @abstractmethod
    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """The images with their table.

        Args:
            strict: Refuse the collection when any file cannot be used, instead of leaving it out.
            progress: Show a progress bar for work of over a second.

        Raises:
            InputError: The files are not there, not images, or no image is left.
        """
