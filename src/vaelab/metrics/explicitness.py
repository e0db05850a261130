"""How well a linear classifier reads the value of a factor off all latents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from vaelab.metrics._metric import metric
from vaelab.metrics._predicted import probabilities
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Factors, Groups
from vaelab.metrics._truth import groups_of_values, part_names, truth, whole_and_parts

MOST_IMAGES = 2000
NUM_BINS = 5


@metric(
    "Explicitness",
    group="factors",
    order=90,
    better="higher",
    source="Ridgeway and Mozer 2018, https://arxiv.org/abs/1802.05312",
)
def explicitness(
    codes: Codes,
    factors: Factors,
    factor_names: Sequence[str] = (),
    groups: Groups | None = None,
    value_alone: bool = False,
) -> list[Score]:
    """How well logistic regression on all latents tells each value of a factor from its other values.

        2 * AUC - 1,  the mean over values and over factors;   AUC: area under the ROC curve, a value against the rest

    It does not ask how many latents it takes, so turning the codes does not change it. Each image is judged by a
    regression fitted to the other four fifths of the images (of the groups), hardly regularised (C = 100). A factor of
    more than 20 values is cut into 5 bins of as many images each. A code that says nothing scores 0; the ceiling is
    what the factors score in the codes' place. The interval leaves out a tenth of the images (of the groups) at a time,
    of those that are judged. Of more than 2,000 images 2,000 are drawn.

    Args:
        codes: posterior means.
        factors: known numbers.
        factor_names: of the factors; numbers where it is empty.
        groups: which images belong together, such as those of one well. Each is then judged by other groups.
        value_alone: Whether interval and ceiling, which take most of the time, are not wanted.

    Raises:
        InputError: Codes, factors and groups do not go together, or a factor is no number.

    *Source*: Ridgeway and Mozer 2018, section 3 (https://arxiv.org/abs/1802.05312).

    >>> y = np.random.default_rng(0).integers(3, size=(300, 1)).astype(float)
    >>> explicitness(y, y)[0].value
    1.0
    """
    known = truth(codes, factors, factor_names, groups, most=MOST_IMAGES)
    if not known.reason and known.units.max() == 0:
        known = known.without("there is one group alone")
    if known.reason:
        return known.nothing("2 AUC - 1")
    kinds = groups_of_values(known.factors, NUM_BINS)
    ends = np.cumsum(kinds.max(0) + 1)[:-1]

    def values(found: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        areas = [_area(found, kind) for found, kind in zip(np.split(found, ends, axis=1), kinds.T, strict=True)]
        return whole_and_parts(2 * np.array(areas) - 1)

    def judged(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.hstack([probabilities(z, kind, known.units, 100) for kind in kinds.T]), kinds

    return known.scores(values, part_names(known.names), "2 AUC - 1", prepare=judged, null=0.0, value_alone=value_alone)


def _area(found: np.ndarray, kind: np.ndarray) -> float:
    """The mean over kinds of the area under the ROC curve of a kind's probability (image, kind)."""
    own = kind[:, None] == np.arange(found.shape[1])
    count = own.sum(0)
    there = (count > 0) & (count < len(kind))
    below = np.where(own, rankdata(found, axis=0), 0).sum(0) - count * (count + 1) / 2
    return float((below[there] / (count * (len(kind) - count))[there]).mean()) if there.any() else np.nan
