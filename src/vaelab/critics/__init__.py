"""Critics: networks that score how well two things belong together. One file, one critic."""

from __future__ import annotations

from vaelab.critics._base import Critic

__all__ = ["Critic"]
