"""The terms of training, as metrics.csv has them: a row for each step, split and stage."""

from __future__ import annotations

import numpy as np
import pandas as pd

_NOT_TERMS = frozenset({"step", "epoch", "split", "stage", "images_per_second", "learning_rate", "seconds"})
CEILING = "_ceiling"
"""Ends the name of a term that says how large the one before can be."""


def terms(metrics: pd.DataFrame, stage: str = "") -> tuple[str, ...]:
    """The terms that a stage has values of.

    >>> frame = pd.DataFrame({"step": [1], "split": "train", "stage": "", "loss": [5.0], "rate": [np.nan]})
    >>> terms(frame)
    ('loss',)
    """
    if metrics.empty:
        return ()
    filled = metrics.loc[metrics["stage"] == stage].count()
    return tuple(str(name) for name in metrics.columns if name not in _NOT_TERMS and filled[name])


def series(metrics: pd.DataFrame, split: str, term: str, stage: str = "") -> np.ndarray:
    """(2, point): steps, and the values of one term of one stage on one split, without what isn't finite."""
    if not {"step", "split", "stage", term} <= set(metrics.columns):
        return np.zeros((2, 0))
    rows = (metrics["split"] == split) & (metrics["stage"] == stage)
    points = metrics.loc[rows, ["step", term]].to_numpy(float).T
    return points[:, np.isfinite(points[1])]


def kept_step(metrics: pd.DataFrame) -> int | None:
    """The step with the lowest validation loss, whose weights a run keeps; None where nothing was validated."""
    steps, losses = series(metrics, "validation", "loss")
    return int(steps[losses.argmin()]) if len(losses) else None


def still_improving(metrics: pd.DataFrame) -> bool:
    """Whether the last fifth of the validations brought the loss down by more than 1 %, the last being the best."""
    _, losses = series(metrics, "validation", "loss")
    if len(losses) < 5:
        return False
    before, last = losses[: -max(1, len(losses) // 5)].min(), losses[-1]
    return bool(last == losses.min() and before - last > 0.01 * abs(before))


def last_elbos(metrics: pd.DataFrame, stage: str = "") -> tuple[float, float] | None:
    """The last ELBOs (training, validation), where both are known."""
    train, validation = (series(metrics, split, "elbo", stage)[1] for split in ("train", "validation"))
    return (float(train[-1]), float(validation[-1])) if len(train) and len(validation) else None
