"""Which images reconstruct badly."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import PerImage

BAD_FIT = -3.5


@per_image(
    "Share of images that fit",
    group="nats",
    order=70,
    unit="share of images",
    better="neither",
    ceiling=1.0,
    one_model=True,
    counted=lambda fits: fits >= BAD_FIT,
    source="Iglewicz and Hoaglin 1993, section 3.3",
)
def fit(distortions: PerImage) -> np.ndarray:
    """The share of images whose fit is no worse than -3.5.

    `fit.values` gives the fit of each image:

        (median - distortion) / (1.4826 * median of |distortion - median|)

    It is how far below the usual an image's distortion lies, in robust standard deviations. 0 is the typical image of
    the set; below -3.5 it reconstructs badly: it may be a rare kind, an artefact, or simply hold more detail. A fit
    compares images of one set under one model, and says nothing of how good the model is. All are 0 where at least half
    of the images have the same distortion. Few far outliers give a share of nearly 1; less than about 0.99 says that a
    whole kind of images reconstructs badly.

    Args:
        distortions: nats.

    *Source*: Iglewicz and Hoaglin 1993, How to detect and handle outliers, section 3.3.

    >>> distortions = np.array([9.0, 10.0, 11.0, 90.0])
    >>> fit.values(distortions).round(2).tolist(), fit(distortions)[0].value
    ([1.01, 0.34, -0.34, -53.62], 0.75)
    """
    center = np.median(distortions)
    spread = 1.4826 * np.median(np.abs(distortions - center))
    return (center - distortions) / spread if spread > 0 else np.zeros(len(distortions))
