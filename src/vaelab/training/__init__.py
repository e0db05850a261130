"""Training: the loop gives, listeners take."""

from __future__ import annotations

from vaelab.training.choices import Choices, choose
from vaelab.training.config import Machine, Training, Watching
from vaelab.training.loop import begin, begin_step, choose_for, train, validate
from vaelab.training.state import Batches, State
from vaelab.training.step import ObjectiveStep, Step

__all__ = [
    "Batches",
    "Choices",
    "Machine",
    "ObjectiveStep",
    "State",
    "Step",
    "Training",
    "Watching",
    "begin",
    "begin_step",
    "choose",
    "choose_for",
    "train",
    "validate",
]
