"""Whether the steps are still nearest to their own image, by code."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from vaelab.metrics._coranking import chunks
from vaelab.metrics._metric import metric
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._series import check_images
from vaelab.metrics._shapes import Codes, StepCodes

_UNIT = "share of steps"


@metric(
    "Identity, by the nearest code",
    group="explanations",
    order=100,
    better="higher",
    source="Singla et al. 2020, https://arxiv.org/abs/1911.00483 (latent space closeness)",
)
def latent_closeness(codes: Codes, returned_codes: StepCodes) -> Score:
    """The share of steps whose code, as the encoder sees them, is nearer to their own image's code than to any other's.

    Of several that are equally near each has its share, so if all images have the same code it is 1/N, the null. More
    images make it harder: compare equally many.

    Args:
        codes: of the images.
        returned_codes: the encoder's code of each step's image.

    Raises:
        InputError: They are not of the same images.

    *Source*: Singla et al. 2020, latent space closeness (https://arxiv.org/abs/1911.00483).

    >>> z = np.array([[0.0], [1.0], [2.0]])
    >>> latent_closeness(z, z[:, None] + [[[0.4], [0.8]]])[0].value.__round__(6)  # the last, from 2, too
    0.666667
    """
    check_images(len(codes), returned_codes=returned_codes)
    count, num_targets = returned_codes.shape[:2]
    if count < 2 or not (np.isfinite(codes).all() and np.isfinite(returned_codes).all()):
        reason = "there are fewer than 2 images" if count < 2 else "a code is not finite"
        return no_score(reason, _UNIT, count)
    closest = np.empty((count, num_targets))
    for rows in chunks(count, count * num_targets):
        far = cdist(returned_codes[rows].reshape(-1, codes.shape[1]), codes).reshape(-1, num_targets, count)
        own = np.take_along_axis(far, np.arange(count)[rows, None, None], 2)
        nearer, ties = (far < own).any(2), (far == own).sum(2)
        closest[rows] = np.where(nearer, 0.0, 1 / ties)
    return mean_score(closest.mean(1), _UNIT, null=1 / count, ceiling=1.0)
