"""Penalties: what an objective adds to distortion and rate. One file, one penalty."""

from __future__ import annotations

from vaelab.penalties._base import Charge, Encoded, Penalty, Term, TrainingImages

__all__ = ["Charge", "Encoded", "Penalty", "Term", "TrainingImages"]
