"""By how much a predicted number errs."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._kinds import mean_of_units
from vaelab.metrics._metric import metric
from vaelab.metrics._numbers import units_of, usable_numbers
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import Groups, Numbers

_UNIT = "in the number's unit"


@metric(
    "Mean absolute error of the predicted number",
    group="features",
    order=88,
    better="lower",
    source="https://scikit-learn.org/stable/modules/model_evaluation.html#mean-absolute-error",
)
def number_mae(known_numbers: Numbers, predicted_numbers: Numbers, groups: Groups | None = None) -> Score:
    """The mean absolute error of a number that is predicted from each image; the null is that of their median.

    Args:
        known_numbers: of each image.
        predicted_numbers: likewise.
        groups: which images belong together; the interval is then over groups.

    Raises:
        InputError: There is not one for each image.

    *Source*: scikit-learn, mean_absolute_error
    (https://scikit-learn.org/stable/modules/model_evaluation.html#mean-absolute-error).

    >>> score = number_mae(np.array([1.0, 2.0, 6.0]), np.array([1.0, 2.0, 3.0]))[0]
    >>> score.value, round(score.null, 6)
    (1.0, 1.666667)
    """
    y, told, reason = usable_numbers(known_numbers, predicted_numbers)
    if reason:
        return no_score(reason, _UNIT, len(y))
    null = float(np.abs(y - np.median(y)).mean())
    return mean_of_units(np.abs(y - told), units_of(groups, len(y)), _UNIT, null=null)
