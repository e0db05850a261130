"""What each latent costs."""

from __future__ import annotations

from vaelab.metrics._metric import metric
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes


@metric(
    "Rate per latent",
    group="code",
    order=10,
    better="neither",
    source="Kingma et al. 2016, https://arxiv.org/abs/1606.04934",
)
def rate_per_latent(latent_rates: Codes) -> list[Score]:
    """The rate of one latent, as a mean over latents, and that of each: which latents carry the code.

    Posterior and prior must factorise; over latents it then sums to `rate`. A latent near 0 nats is not used.

    Args:
        latent_rates: nats.

    *Source*: Kingma et al. 2016, appendix C.8 (https://arxiv.org/abs/1606.04934).

    >>> import numpy as np
    >>> [score.value for score in rate_per_latent(np.array([[1.0, 3.0], [2.0, 6.0]]))]
    [3.0, 1.5, 4.5]
    """
    columns = {"": latent_rates.mean(1)}
    if latent_rates.shape[1] > 1:
        columns |= {str(latent): column for latent, column in enumerate(latent_rates.T)}
    return [mean_score(column, "nats per latent", part=part, null=0.0) for part, column in columns.items()]
