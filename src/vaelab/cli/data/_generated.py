"""The collections that need no file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaelab.data import Source


def generated() -> dict[str, type[Source]]:
    """Name -> class of each source that reads no file."""
    from vaelab.catalogue import members
    from vaelab.data import Source

    return {name: cls for name, cls in members(Source).items() if not cls.opens}


def lines(words: Mapping[str, str | None]) -> str:
    """A line for each name, with the first line of what is said of it."""
    width = max(map(len, words)) + 2
    return "\n".join(
        f"  {name.replace('_', '-'):<{width}}{(text or '').splitlines()[0]}" for name, text in words.items()
    )
