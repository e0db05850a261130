"""How far the estimate of the log-likelihood can be trusted."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import PerImage


@per_image(
    "Effective samples",
    group="nats",
    order=50,
    unit="samples",
    better="higher",
    ceiling=lambda num_samples: float(num_samples),
    source="Owen 2013, section 9.3, https://artowen.su.domains/mc/",
)
def effective_samples(effective_samples: PerImage, num_samples: int) -> np.ndarray:
    """How many equal importance weights would be as good as those behind log p(x).

        (sum_k w_k)^2 / sum_k w_k^2

    From 1 (one weight outweighs all others: log p(x) is then far too low) to K (the posterior is exact).

    Args:
        effective_samples: of each image (`ImportanceSums.effective_samples`).
        num_samples: K, the ceiling.

    *Source*: Kong 1992; Owen 2013, Monte Carlo theory, methods and examples, section 9.3 (https://artowen.su.domains/mc/).

    >>> effective_samples(np.array([40.0, 60.0]), num_samples=100)[0].value
    50.0
    """
    return effective_samples
