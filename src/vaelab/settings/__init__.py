"""Settings: what a class declares, settings as plain values and back, and settings changed from text."""

from __future__ import annotations
