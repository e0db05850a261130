"""How far out in the latent space the steps lie."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._series import all_or_none, check_images
from vaelab.metrics._shapes import Codes, StepCodes


@per_image(
    "Rarity of the codes",
    group="explanations",
    order=50,
    better="lower",
    unit="variances",
    counted=all_or_none,
    nothing="a code is not finite, or no latent varies over the images",
    source="vaelab's own (the Mahalanobis distance with a diagonal covariance)",
)
def series_rarity(series_codes: StepCodes, codes: Codes) -> np.ndarray:
    """The mean squared distance of a step's code from the mean of the images' codes, each latent in its own variances.

        mean over steps and latents of ((z - m) / s)^2,  m, s the mean and standard deviation of the images' codes

    1 is what the images' own codes score: they lie where codes are common. 4 is twice as far out as they are. A latent
    that is the same for all images is left out. The interval holds m and s fixed.

    Args:
        series_codes: of each step of each image.
        codes: of the images.

    Raises:
        InputError: They are not of the same images.

    *Source*: Mahalanobis 1936, with a diagonal covariance.

    >>> z = np.array([[-1.0], [1.0]])
    >>> series_rarity(2 * z[:, None], z)[0].value
    4.0
    """
    check_images(len(codes), series_codes=series_codes)
    z = codes.astype(np.float64)
    if not np.isfinite(z).all() or not len(z):
        return np.full(len(z), np.nan)
    spread = z.std(0)
    varies = spread > 1e-9 * np.abs(z).max(0)
    if not varies.any():
        return np.full(len(z), np.nan)
    return np.square((series_codes[..., varies] - z.mean(0)[varies]) / spread[varies]).mean((1, 2))
