"""How many latents the encoder uses."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import metric
from vaelab.metrics._resample import interval_of_means
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes

ACTIVE_VARIANCE = 1e-2


@metric(
    "Active latents",
    group="code",
    order=20,
    headline=True,
    better="neither",
    source="Burda et al. 2016, https://arxiv.org/abs/1509.00519",
)
def active_units(codes: Codes) -> list[Score]:
    """How many latents' posterior means vary from image to image.

        number of latents with  Var over images of E[z|x] > 0.01

    It depends on the latents' scale, so it is made for priors of unit variance. A few images aren't enough: a latent
    near the threshold may fall on either side, which the interval shows. One image has none.

    Args:
        codes: the posteriors' means; the ceiling is the number of latents.

    *Source*: Burda et al. 2016, section 5.2 (https://arxiv.org/abs/1509.00519).

    >>> active_units(np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]]))[0].value
    1.0
    """
    if len(codes) < 2:
        return []
    centered = (codes - codes.mean(0)).astype(np.float64)
    latent_dim = codes.shape[1]

    def count(means: np.ndarray) -> np.ndarray:
        variances = means[:, latent_dim:] - means[:, :latent_dim] ** 2
        return (variances > ACTIVE_VARIANCE).sum(1)

    return [
        Score(
            value=float((centered.var(0) > ACTIVE_VARIANCE).sum()),
            unit="latents",
            count=len(codes),
            interval=interval_of_means(np.concatenate([centered, centered**2], axis=1), count),
            null=0.0,
            ceiling=float(latent_dim),
        )
    ]
