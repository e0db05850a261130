"""Whether the steps still have the code of their image, by its direction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vaelab.metrics._coranking import chunks
from vaelab.metrics._metric import metric
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._series import UNIT, of_returned
from vaelab.metrics._shapes import Codes, StepCodes

THRESHOLD = 0.5


@metric(
    "Identity, by cosine",
    group="explanations",
    order=90,
    better="higher",
    source="Singla et al. 2020, https://arxiv.org/abs/1911.00483",
)
def identity_cosine(codes: Codes, returned_codes: StepCodes, drawn_codes: Codes | None = None) -> Iterator[Score]:
    """The share of steps whose code, as the encoder sees them, has a cosine of 0.5 or more with their image's code.

    As the part `reconstructions` the same of those: what the model loses of an image before anything is exaggerated.
    Codes are taken from the images' mean code. The null is the same share for other images' codes: the classifier's
    answer apart, a step should be like its own image and not like any. A code in the middle has no direction, and does
    not count as alike.

    Args:
        codes: of the images.
        returned_codes: the encoder's code of each step's image.
        drawn_codes: the encoder's code of each image's reconstruction.

    Raises:
        InputError: They are not of the same images.

    *Source*: Singla et al. 2020, with its threshold (https://arxiv.org/abs/1911.00483).

    >>> z = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    >>> next(iter(identity_cosine(z, z[:, None]))).value
    1.0
    """
    return of_returned(codes, returned_codes, drawn_codes, _share_alike)


def _share_alike(codes: np.ndarray, returned: np.ndarray) -> Score:
    count, center = len(codes), codes.mean(0)
    least = 1e-9 * float(np.abs(codes).max())
    own, steps = _unit(codes - center, least), _unit(returned - center, least)
    if not own.any():
        return no_score("all images have the same code", UNIT, count)
    limit = THRESHOLD - 1e-12
    alike = ((steps * own[:, None]).sum(2) >= limit).mean(1)
    pairs = sum(int((own[rows] @ own.T >= limit).sum()) for rows in chunks(count, count))
    with_itself = int((np.square(own).sum(1) >= limit).sum())
    null = (pairs - with_itself) / (count * (count - 1))
    return mean_score(alike, UNIT, null=null, ceiling=1.0)


def _unit(z: np.ndarray, least: float) -> np.ndarray:
    """The directions; a code no longer than the least, which may be rounding, has none and is 0."""
    length = np.linalg.norm(z, axis=-1, keepdims=True)
    return np.divide(z, length, out=np.zeros_like(z), where=~(length <= least))
