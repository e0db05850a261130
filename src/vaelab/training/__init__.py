"""Training: the loop gives, listeners take."""

from __future__ import annotations

from vaelab.training.choices import Choices, choose
from vaelab.training.config import Machine, Training, Watching
from vaelab.training.loop import Batches, State, begin, choose_for, train, validate

__all__ = [
    "Batches",
    "Choices",
    "Machine",
    "State",
    "Training",
    "Watching",
    "begin",
    "choose",
    "choose_for",
    "train",
    "validate",
]
