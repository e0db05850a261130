"""Whether the steps still have the code of their image, by its direction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vaelab.metrics._coranking import chunks
from vaelab.metrics._metric import metric
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._series import check_images
from vaelab.metrics._shapes import Codes, StepCodes

THRESHOLD = 0.5
_UNIT = "share of steps"


@metric(
    "Identity, by cosine",
    group="explanations",
    order=90,
    better="higher",
    source="Singla et al. 2020, https://arxiv.org/abs/1911.00483",
)
def identity_cosine(codes: Codes, returned_codes: StepCodes) -> Score:
    """The share of steps whose code, as the encoder sees them, has a cosine of 0.5 or more with their image's code.

    Codes are taken from the images' mean code. The null is the same share for other images' codes: the classifier's
    answer apart, a step should be like its own image and not like any. A code in the middle has no direction, and does
    not count as alike.

    Args:
        codes: of the images.
        returned_codes: the encoder's code of each step's image.

    Raises:
        InputError: They are not of the same images.

    *Source*: Singla et al. 2020, with its threshold (https://arxiv.org/abs/1911.00483).

    >>> z = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    >>> identity_cosine(z, z[:, None])[0].value
    1.0
    """
    check_images(len(codes), returned_codes=returned_codes)
    count = len(codes)
    center = codes.mean(0, dtype=np.float64) if count else 0.0
    least = 1e-9 * float(np.abs(codes).max(initial=0))
    own, steps = _unit(codes - center, least), _unit(returned_codes - center, least)
    if count < 2 or not (np.isfinite(own).all() and np.isfinite(steps).all()):
        reason = "there are fewer than 2 images" if count < 2 else "a code is not finite"
        return no_score(reason, _UNIT, count)
    if not own.any():
        return no_score("all images have the same code", _UNIT, count)
    limit = THRESHOLD - 1e-12
    alike = ((steps * own[:, None]).sum(2) >= limit).mean(1)
    pairs = sum(int((own[rows] @ own.T >= limit).sum()) for rows in chunks(count, count))
    with_itself = int((np.square(own).sum(1) >= limit).sum())
    null = (pairs - with_itself) / (count * (count - 1))
    return replace(mean_score(alike.astype(np.float64), _UNIT, ceiling=1.0), null=float(null))


def _unit(z: np.ndarray, least: float) -> np.ndarray:
    """The directions, float64; a code no longer than the least, which may be rounding, has none and is 0."""
    z = z.astype(np.float64)
    length = np.linalg.norm(z, axis=-1, keepdims=True)
    return np.divide(z, length, out=np.zeros_like(z), where=~(length <= least))
