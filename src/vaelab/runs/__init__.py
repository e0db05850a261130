"""Runs: a folder in which an experiment was carried out; made, resumed, read back."""

from __future__ import annotations

from vaelab.runs.claim import free_folder
from vaelab.runs.make import Interrupted, resume, train
from vaelab.runs.read import Run, load

__all__ = ["Interrupted", "Run", "free_folder", "load", "resume", "train"]
