"""Where images come from: files that are read and collections that are generated. One file, one source."""

from __future__ import annotations

from vaelab.data.sources._base import Hole, Source

__all__ = ["Hole", "Source"]
