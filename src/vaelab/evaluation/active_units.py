"""How many latents the encoder uses."""

from __future__ import annotations

import numpy as np

from vaelab.evaluation._bootstrap import interval
from vaelab.evaluation._score import Score

ACTIVE_VARIANCE = 1e-2


def active_units(loc: np.ndarray) -> Score:
    """How many latents' posterior means vary from image to image.

        number of latents with  Var over images of E[z|x] > 0.01

    It depends on the latents' scale, so it is made for priors of unit variance. A few images aren't enough: a latent
    near the threshold may fall on either side, which the interval shows.

    Args:
        loc: (image, latent), the posteriors' means; the ceiling is the number of latents.

    *Source*: Burda et al. 2016, section 5.2 (https://arxiv.org/abs/1509.00519).

    >>> active_units(np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]])).value
    1.0
    """
    centered = (loc - loc.mean(0)).astype(np.float64)
    latent_dim = loc.shape[1]

    def count(means: np.ndarray) -> np.ndarray:
        variances = means[:, latent_dim:] - means[:, :latent_dim] ** 2
        return (variances > ACTIVE_VARIANCE).sum(1)

    return Score(
        value=float((centered.var(0) > ACTIVE_VARIANCE).sum()),
        unit="latents",
        better="neither",
        count=len(loc),
        interval=interval(np.concatenate([centered, centered**2], axis=1), count),
        ceiling=float(latent_dim),
        source="Burda et al. 2016, https://arxiv.org/abs/1509.00519",
    )
