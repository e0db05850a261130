"""What the rate is made of: information, dependence of latents, and a misfit of each latent to the prior."""

from __future__ import annotations

from math import log

import numpy as np

from vaelab.metrics._metric import metric
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import Codes
from vaelab.metrics.total_correlation import log_sums

MOST_IMAGES = 10_000
MOST_DRAWS = 1_000
_MOST_DENSITIES = 200_000_000
_UNIT = "nats"


@metric(
    "Dimension-wise KL",
    group="code",
    order=45,
    better="neither",
    source="Chen et al. 2018, https://arxiv.org/abs/1802.04942",
)
def dimension_wise_kl(codes: Codes, scales: Codes, latent_rates: Codes) -> list[Score]:
    """How far each latent's distribution over all images is from the prior, summed over latents.

        sum over latents j of KL(q(z_j) || p(z_j)),    q(z) = mean over the N images of q(z|x)
        rate = I(image number; z) + total correlation + dimension-wise KL

    The parts `mutual information` and `total correlation` are the other two summands, so the three make up the rate of
    the images drawn; those called by number are single latents. A sample of the prior decodes badly where
    they are large. They are of the images at hand: the information is that which z gives of *which of these N images*,
    at most log N, so it is too low, and the total correlation mostly too high, where N is small.

    Each latent's summand is its rate less log q(z_j|x) - log q(z_j) at one draw z of an image's posterior, so the prior
    need not be known. Of more than 10,000 images 10,000 are taken, with draws of 1,000, or of fewer where
    draws x images x latents pass 200 million, but 100 at least.

    Args:
        codes: the posteriors' means.
        scales: their standard deviations, above 0.
        latent_rates: nats; posterior and prior must factorise.

    *Source*: Chen et al. 2018, equation 2 (https://arxiv.org/abs/1802.04942); Hoffman and Johnson 2016, ELBO surgery.

    >>> z = np.random.default_rng(0).normal(size=(500, 1)) * 0.6
    >>> scores = dimension_wise_kl(z, np.full((500, 1), 0.8), (z**2 + 0.64 - 1) / 2 - np.log(0.8))
    >>> bool(abs(scores[0].value) < 0.02)
    True
    """
    random = np.random.default_rng(0)
    rows = random.permutation(len(codes))[:MOST_IMAGES]
    loc, scale = codes[rows].astype(np.float64), scales[rows].astype(np.float64)
    if not (np.isfinite(loc).all() and np.isfinite(scale).all() and (scale > 0).all()):
        return [no_score("posteriors are not all finite and of some width", _UNIT, len(rows))]
    num_draws = min(MOST_DRAWS, max(100, _MOST_DENSITIES // max(1, loc.size)))
    noise = random.standard_normal(loc[:num_draws].shape)
    joint, marginals = log_sums(loc[:num_draws] + scale[:num_draws] * noise, loc, scale)
    count = log(len(rows))
    joint, marginals = joint - count, marginals - count
    own = -(noise**2) / 2 - np.log(scale[:num_draws])
    each = latent_rates[rows[:num_draws]].astype(np.float64) - (own - marginals)
    together = marginals.sum(1)
    scores = [
        mean_score(each.sum(1), _UNIT),
        mean_score(own.sum(1) - joint, _UNIT, part="mutual information", null=0.0, ceiling=count),
        mean_score(joint - together, _UNIT, part="total correlation", null=0.0, ceiling=(loc.shape[1] - 1) * count),
    ]
    parts = each.T if loc.shape[1] > 1 else ()
    return scores + [mean_score(column, _UNIT, part=str(latent)) for latent, column in enumerate(parts)]
