"""Whether the steps are still nearest to their own image, by code."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial.distance import cdist

from vaelab.metrics._coranking import chunks
from vaelab.metrics._metric import metric
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score
from vaelab.metrics._series import UNIT, of_returned
from vaelab.metrics._shapes import Codes, StepCodes


@metric(
    "Identity, by the nearest code",
    group="explanations",
    order=100,
    better="higher",
    source="Singla et al. 2020, https://arxiv.org/abs/1911.00483 (latent space closeness)",
)
def latent_closeness(codes: Codes, returned_codes: StepCodes, drawn_codes: Codes | None = None) -> Iterator[Score]:
    """The share of steps whose code, as the encoder sees them, is nearer to their own image's code than to any other's.

    As the part `reconstructions` the same of those: what the model loses of an image before anything is exaggerated.
    Of several that are equally near each has its share, so if all images have the same code it is 1/N, the null. More
    images make it harder: compare equally many.

    Args:
        codes: of the images.
        returned_codes: the encoder's code of each step's image.
        drawn_codes: the encoder's code of each image's reconstruction.

    Raises:
        InputError: They are not of the same images.

    *Source*: Singla et al. 2020, latent space closeness (https://arxiv.org/abs/1911.00483).

    >>> z = np.array([[0.0], [1.0], [2.0]])
    >>> next(iter(latent_closeness(z, z[:, None] + [[[0.4], [0.8]]]))).value.__round__(6)  # the last, from 2, too
    0.666667
    """
    return of_returned(codes, returned_codes, drawn_codes, _share_closest)


def _share_closest(codes: np.ndarray, returned: np.ndarray) -> Score:
    count, num_targets = returned.shape[:2]
    closest = np.empty((count, num_targets))
    for rows in chunks(count, count * num_targets):
        far = cdist(returned[rows].reshape(-1, codes.shape[1]), codes).reshape(-1, num_targets, count)
        own = np.take_along_axis(far, np.arange(count)[rows, None, None], 2)
        nearer, ties = (far < own).any(2), (far == own).sum(2)
        closest[rows] = np.where(nearer, 0.0, 1 / ties)
    return mean_score(closest.mean(1), UNIT, null=1 / count, ceiling=1.0)
