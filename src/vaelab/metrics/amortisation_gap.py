"""What the encoder loses against posteriors that were searched for each image."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import PerImage


@per_image(
    "Amortisation gap",
    group="nats",
    order=80,
    unit="nats per image",
    better="lower",
    source="Cremer et al. 2018, https://arxiv.org/abs/1801.03558",
)
def amortisation_gap(inferred_elbos: PerImage, elbos: PerImage) -> np.ndarray:
    """How much larger the ELBO of an image is under a posterior of its own than under the encoder's.

        max over q of ELBO(q) - ELBO(q(z|x))

    It is what is lost because one network gives the posteriors of all images. The search may fall short of the
    maximum, so the gap is at least this large; below 0 the encoder is better than what the search found.

    Args:
        inferred_elbos: under the posterior that was searched for the image, nats.
        elbos: under the encoder's, nats.

    *Source*: Cremer, Li and Duvenaud 2018, section 3 (https://arxiv.org/abs/1801.03558).

    >>> amortisation_gap(np.array([-90.0, -80.0]), np.array([-91.0, -83.0]))[0].value
    2.0
    """
    return inferred_elbos - elbos
