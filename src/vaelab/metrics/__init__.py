"""Metrics: one file, one metric, one function of plain arrays. Nothing here imports torch."""

from __future__ import annotations
