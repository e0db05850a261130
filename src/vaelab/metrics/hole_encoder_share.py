"""Who failed in a hole of the training set, the encoder or the decoder."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._hole import INSIDE, OUTSIDE, interval_of_two
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import PerImage, Regions

_UNIT = "share of the excess error"


@metric(
    "What of the hole's excess error is the encoder's",
    group="pixels",
    order=65,
    better="neither",
    source="study 4 of vaelab's own list; Cremer et al. 2018, https://arxiv.org/abs/1801.03558",
)
def hole_encoder_share(squared_errors: PerImage, reached_errors: PerImage, regions: Regions) -> Score:
    """Who failed: which share of the error that the hole adds goes away where the code is searched for instead.

        share = 1 - (reached inside - reached outside) / (error inside - error outside)

    Each is a mean over images, `reached` the error at the best code that was found without the encoder. 1: the decoder
    can draw what lies in the hole as well as what lies around it, and the encoder put it in the wrong place; 0: no code
    draws it better, and the decoder failed. There is no number where the error inside is not shown to be larger than
    that outside: nobody failed. Below 0 and above 1 are possible.

    Args:
        squared_errors: Mean over the pixels of each image.
        reached_errors: The same at the best code; not a number where none was searched for.
        regions: Where each image lies: inside the hole, outside; others are not looked at.

    *Source*: study 4 of vaelab's own list; the search is that of Cremer, Li and Duvenaud 2018, section 5
    (https://arxiv.org/abs/1801.03558).

    >>> regions = np.array([[True, False], [False, True]]).repeat(2, axis=0)
    >>> round(hole_encoder_share(np.array([0.5, 0.5, 0.1, 0.1]), np.array([0.2, 0.2, 0.1, 0.1]), regions)[0].value, 6)
    0.75
    """
    looked_at = np.isfinite(reached_errors) & regions[:, :2].any(1)
    errors, reached = squared_errors[looked_at], reached_errors[looked_at]
    inside, outside = regions[looked_at, INSIDE], regions[looked_at, OUTSIDE]
    if not (inside.any() and outside.any()):
        return no_score("codes of images inside and outside the hole were not searched for", _UNIT, len(errors))
    if not np.isfinite(errors).all():
        return no_score("an error is not finite", _UNIT, len(errors))
    both = np.column_stack([errors, reached])
    excess, share = (interval_of_two(both[inside], both[outside], what) for what in (_excess, _share))
    if excess is None or not excess[0] > 0:
        return no_score("the error inside is not shown to be larger than outside: nobody failed", _UNIT, len(errors))
    value = float(_share(*(both[side].mean(0, keepdims=True) for side in (inside, outside)))[0])
    return Score(value=value, unit=_UNIT, count=len(errors), interval=share)


def _excess(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    return inside[:, 0] - outside[:, 0]


def _share(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    return 1 - (inside[:, 1] - outside[:, 1]) / _excess(inside, outside)
