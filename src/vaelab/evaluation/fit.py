"""Which images reconstruct badly."""

from __future__ import annotations

import numpy as np

from vaelab.evaluation._bootstrap import mean_score
from vaelab.evaluation._score import Score

BAD_FIT = -3.5


def fits(distortions: np.ndarray) -> np.ndarray:
    """The fit of each image: how far below the usual its distortion lies, in robust standard deviations.

        (median - distortion) / (1.4826 * median of |distortion - median|)

    0 is the typical image of the set; below -3.5 it reconstructs badly: it may be a rare kind, an artefact, or simply
    hold more detail. A fit compares images of one set under one model, and says nothing of how good the model is.

    Args:
        distortions: (image,), nats.

    Returns:
        (image,), no unit; all 0 where at least half of the images have the same distortion.

    *Source*: Iglewicz and Hoaglin 1993, How to detect and handle outliers, section 3.3.

    >>> fits(np.array([9.0, 10.0, 11.0, 90.0])).round(2).tolist()
    [1.01, 0.34, -0.34, -53.62]
    """
    center = np.median(distortions)
    spread = 1.4826 * np.median(np.abs(distortions - center))
    return (center - distortions) / spread if spread > 0 else np.zeros(len(distortions))


def fit(distortions: np.ndarray) -> Score:
    """The share of images that fit no worse than -3.5, the fit being that of `fits`.

    Few far outliers give nearly 1; less than about 0.99 says that a whole kind of images reconstructs badly.

    Args:
        distortions: (image,), nats.

    *Source*: Iglewicz and Hoaglin 1993, How to detect and handle outliers, section 3.3.

    >>> fit(np.array([9.0, 10.0, 11.0, 90.0])).value
    0.75
    """
    source = "Iglewicz and Hoaglin 1993, section 3.3"
    return mean_score(
        (fits(distortions) >= BAD_FIT).astype(np.float64), "share of images", "neither", source, ceiling=1.0
    )
