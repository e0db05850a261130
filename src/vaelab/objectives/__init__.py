"""Objectives: what is minimised, in nats per image. One file, one objective."""

from __future__ import annotations

from vaelab.objectives._base import Objective, SingleObjective, Staged, Terms
from vaelab.objectives._scaling import effective_beta

__all__ = ["Objective", "SingleObjective", "Staged", "Terms", "effective_beta"]
