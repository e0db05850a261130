"""What measures of predicted numbers have in common."""

from __future__ import annotations

import numpy as np

from vaelab.errors import InputError


def usable_numbers(known: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Both in float64, and why nothing can be measured of them; empty where it can.

    Raises:
        InputError: There is not one for each image.
    """
    y, told = np.asarray(known, np.float64), np.asarray(predicted, np.float64)
    if y.shape != told.shape:
        raise InputError("predicted_numbers", f"be one for each of {len(y)} images", len(told))
    reason = "" if len(y) else "there is no image"
    if not (np.isfinite(y).all() and np.isfinite(told).all()):
        reason = "a number is not finite"
    return y, told, reason


def units_of(groups: np.ndarray | None, num_images: int) -> np.ndarray:
    """(image,): numbers from 0 of what belongs together; each image on its own where nothing is said."""
    return np.arange(num_images) if groups is None else np.unique(groups, return_inverse=True)[1]
