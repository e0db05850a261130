"""What a Gaussian posterior loses against the true one."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import PerImage


@per_image(
    "Approximation gap",
    group="nats",
    order=81,
    unit="nats per image",
    better="lower",
    source="Cremer et al. 2018, https://arxiv.org/abs/1801.03558",
)
def approximation_gap(log_evidences: PerImage, inferred_elbos: PerImage) -> np.ndarray:
    """How much smaller the ELBO of an image is, under the best posterior of its family, than log p(x).

        log p(x) - max over q of ELBO(q)

    It is what is lost because the true posterior is no Gaussian, or none with independent latents. log p(x) is an
    estimate that is a lower bound on average, so the gap is at least this large; a search that fell short of the
    maximum makes it larger.

    Args:
        log_evidences: estimates of log p(x), nats.
        inferred_elbos: under the posterior that was searched for the image, nats.

    *Source*: Cremer, Li and Duvenaud 2018, section 3 (https://arxiv.org/abs/1801.03558).

    >>> approximation_gap(np.array([-89.0, -79.0]), np.array([-90.0, -80.0]))[0].value
    1.0
    """
    return log_evidences - inferred_elbos
