"""Saliency: which pixels an explanation, or the classifier itself, turns on. One file, one way."""

from __future__ import annotations

from vaelab.explanation.saliency._base import Saliency, View, combined
from vaelab.explanation.saliency._maps import saliency_maps

__all__ = ["Saliency", "View", "combined", "saliency_maps"]
