"""How much of what is known of images a predicted number says."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import metric
from vaelab.metrics._numbers import units_of, usable_numbers
from vaelab.metrics._resample import interval_of_means
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import Groups, Numbers


@metric(
    "R^2 of the predicted number",
    group="features",
    order=86,
    better="higher",
    source="https://scikit-learn.org/stable/modules/model_evaluation.html#r2-score",
)
def number_r2(known_numbers: Numbers, predicted_numbers: Numbers, groups: Groups | None = None) -> Score:
    """R^2 of a number that is predicted from each image: 1 is perfect, 0 no better than the mean, below 0 worse.

        1 - sum_images (y - prediction)^2 / sum_images (y - mean of y)^2

    Args:
        known_numbers: y of each image.
        predicted_numbers: likewise.
        groups: which images belong together; the interval is then over groups.

    Raises:
        InputError: There is not one for each image.

    *Source*: scikit-learn, r2_score (https://scikit-learn.org/stable/modules/model_evaluation.html#r2-score).

    >>> round(number_r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.0]))[0].value, 6)
    0.5
    """
    y, told, reason = usable_numbers(known_numbers, predicted_numbers)
    if not reason and (len(y) < 2 or not np.ptp(y)):
        reason = "the number does not vary"
    if reason:
        return no_score(reason, "R^2", len(y))
    units = units_of(groups, len(y))
    sums = np.zeros((units.max() + 1, 4))
    centred = y - y.mean()
    np.add.at(sums, units, np.stack([np.square(y - told), np.square(centred), centred, np.ones(len(y))], 1))

    def r2(means: np.ndarray) -> np.ndarray:
        """Around the mean of each resample; where its numbers do not vary, that of all images."""
        errors, squares, shift, count = means.T
        spread = squares - np.square(shift) / count
        return 1 - errors / np.where(spread > 1e-12 * squares.max(), spread, squares.mean())

    value = float(1 - sums[:, 0].sum() / sums[:, 1].sum())
    return Score(value=value, unit="R^2", count=len(y), interval=interval_of_means(sums, r2), null=0.0, ceiling=1.0)
