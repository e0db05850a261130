"""Runs: a folder in which an experiment was carried out; made, resumed, read back."""

from __future__ import annotations

from vaelab.runs.claim import free_folder
from vaelab.runs.make import Interrupted, is_finished, resume, train
from vaelab.runs.read import Run, load, read

__all__ = ["Interrupted", "Run", "free_folder", "is_finished", "load", "read", "resume", "train"]
