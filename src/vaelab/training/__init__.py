"""Training: the loop gives, listeners take."""

from __future__ import annotations

from vaelab.training.choices import Choices, choose
from vaelab.training.config import Training
from vaelab.training.loop import Batches, State, begin, train, validate

__all__ = ["Batches", "Choices", "State", "Training", "begin", "choose", "train", "validate"]
