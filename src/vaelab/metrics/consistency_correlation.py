"""Whether a classifier says of each step what was wanted, up to scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vaelab.metrics._metric import metric
from vaelab.metrics._resample import interval_of_means
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._series import NOT_FINITE, check_images
from vaelab.metrics._shapes import Steps

_UNIT = "correlation"


@metric(
    "Self-consistency, correlation",
    group="explanations",
    order=10,
    better="higher",
    source="Singla et al. 2020, https://arxiv.org/abs/1911.00483",
)
def consistency_correlation(desired: Steps, reached: Steps) -> Score:
    """Pearson's correlation of what a classifier was wanted to say and what it says, over all steps of all images.

    1: all lie on one rising line. It does not see an offset or a scale, which `consistency_error` does. A poor model
    may score well, as anything that moves the classifier will do: read it beside what the classifier says of
    reconstructions, and beside a random direction. Where the classifier says the same of all steps it is 0.

    Args:
        desired: what the classifier was wanted to say of each step.
        reached: what it says.

    Raises:
        InputError: They are not of the same images.

    *Source*: Singla et al. 2020 (https://arxiv.org/abs/1911.00483); the coefficient: Pearson 1895.

    >>> wanted = np.array([[0.1, 0.5, 0.9], [0.1, 0.5, 0.9]])
    >>> consistency_correlation(wanted, 0.3 + wanted / 2)[0].value.__round__(6)
    1.0
    """
    check_images(len(desired), reached=reached)
    a, b = (steps.astype(np.float64) for steps in (desired, reached))
    nothing = no_score("the same was wanted of all steps", _UNIT, len(a))
    if not np.isfinite(a + b).all():
        return replace(nothing, reason=NOT_FINITE)
    if not a.size or a.min() == a.max():
        return nothing
    a, b = a - a.mean(), b - b.mean()
    sums = np.stack([x.mean(1) for x in (a, b, a * a, b * b, a * b)], 1)

    def pearson(means: np.ndarray) -> np.ndarray:
        x, y, xx, yy, xy = means.T
        scale = np.sqrt(np.maximum(xx - x * x, 0) * np.maximum(yy - y * y, 0))
        return np.clip(np.divide(xy - x * y, scale, out=np.zeros(len(x)), where=scale > 1e-15), -1, 1)

    value = float(pearson(sums.mean(0, keepdims=True))[0])
    return Score(
        value=value,
        unit=_UNIT,
        count=len(a),
        interval=interval_of_means(sums, pearson),
        null=0.0,
        ceiling=1.0,
    )
