"""Progressive exaggeration: an image as a classifier would have it more and more of a class. One file, one way."""

from __future__ import annotations

from vaelab.explanation.exaggeration._base import Draw, Drawn, Exaggeration, Scene, Targets

__all__ = ["Draw", "Drawn", "Exaggeration", "Scene", "Targets"]
