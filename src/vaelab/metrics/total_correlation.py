"""How far the latents are from being independent."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import metric
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes

MOST_IMAGES = 10_000
MOST_DRAWS = 1_000
BLOCK = 100_000
"""Numbers in one array while the densities are summed."""


@metric(
    "Total correlation",
    group="code",
    order=40,
    better="neither",
    source="Chen et al. 2018, https://arxiv.org/abs/1802.04942",
)
def total_correlation(codes: Codes, scales: Codes) -> Score:
    """How much the latents depend on each other, all images together.

        E_q(z)[log q(z) - sum over j of log q(z_j)],    q(z) = mean over the N images of N(z; code, scale^2)

    It is 0 if and only if the latents are independent, and above 0 otherwise. One draw from each image's posterior
    estimates it without bias *for the images at hand*; above 10,000 images, 10,000 random ones are taken, and above
    1,000 the draws are from 1,000 of them.

    For the population that the images come from it is mostly too high, since separate posteriors make no smooth q(z):
    where they do not overlap it reaches its ceiling, (latents - 1) * ln N, whatever the truth. So compare models on
    equally many images. `log_density_ratio` without each draw's own image errs the other way; the two show how far the
    truth may lie, which the interval does not.

    Args:
        codes: the posteriors' means.
        scales: their standard deviations.

    *Source*: Watanabe 1960 (https://doi.org/10.1147/rd.41.0066); of q(z): Chen et al. 2018 (https://arxiv.org/abs/1802.04942).

    >>> codes = np.random.default_rng(0).normal(size=(500, 1))
    >>> twice = np.concatenate([codes, codes], axis=1)
    >>> bool(total_correlation(twice, np.full((500, 2), 0.5))[0].value > 0.3)
    True
    """
    random = np.random.default_rng(0)
    chosen = random.permutation(len(codes))[:MOST_IMAGES]
    loc, scale = codes[chosen].astype(np.float64), scales[chosen].astype(np.float64)
    num_images, latent_dim = loc.shape
    z = loc[:MOST_DRAWS] + scale[:MOST_DRAWS] * random.normal(size=loc[:MOST_DRAWS].shape)
    ceiling = (latent_dim - 1) * float(np.log(num_images))
    return mean_score(log_density_ratio(z, loc, scale), "nats", null=0.0, ceiling=ceiling)


def log_density_ratio(z: np.ndarray, loc: np.ndarray, scale: np.ndarray, leave_own_out: bool = False) -> np.ndarray:
    """log q(z) - sum over j of log q(z_j) at draws of q(z), in nats; its mean is the total correlation.

    Args:
        z: (draw, latent), the first from the first image's posterior, the second from the second's, and so on.
        loc: (image, latent), the means of all images' posteriors.
        scale: (image, latent), their standard deviations, positive.
        leave_own_out: Whether q(z) at each draw is the mean over the other images alone. For the population of images
            the ratios' mean is then mostly too low, where with all images it is mostly too high.

    Returns:
        (draw,) numbers.

    >>> loc, scale = np.random.default_rng(0).normal(size=(2, 50, 3))
    >>> float(log_density_ratio(loc[:, :1], loc[:, :1], np.exp(scale[:, :1])).max())  # one latent
    0.0
    """
    joint, marginals = log_sums(z, loc, scale, leave_own_out)
    return joint - sum(marginals.T, np.zeros(len(z))) + (loc.shape[1] - 1) * np.log(len(loc) - leave_own_out)


def log_sums(
    z: np.ndarray, loc: np.ndarray, scale: np.ndarray, leave_own_out: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Logs of sums over images of the posteriors' densities at draws, of all latents and of each latent alone.

    Args: as `log_density_ratio`. Densities lack the factor 1 / sqrt(2 pi) of each latent.

    Returns:
        (draw,) and (draw, latent); less the log of the number of images they are those of means.
    """
    rows = max(1, BLOCK // len(loc))
    starts = range(0, len(z), rows)
    parts = [_log_sums(z[i : i + rows], loc, scale, i if leave_own_out else None) for i in starts]
    joint, marginals = zip(*parts, strict=True)
    return np.concatenate(joint), np.concatenate(marginals)


def _log_sums(z: np.ndarray, loc: np.ndarray, scale: np.ndarray, first: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Log of the sum of densities over images, and the same for each latent alone.

    Args:
        z: (draw, latent).
        loc: (image, latent).
        scale: (image, latent).
        first: Image of the first draw, if each draw's own image is left out.
    """
    joint, marginals = np.zeros((len(z), len(loc))), np.zeros(z.shape)
    for j in range(loc.shape[1]):
        log_density = z[:, j, None] - loc[:, j]
        log_density /= scale[:, j]
        log_density *= log_density
        log_density *= -0.5
        log_density -= np.log(scale[:, j])
        if first is not None:
            log_density[np.arange(len(z)), first + np.arange(len(z))] = -np.inf
        joint += log_density
        marginals[:, j] = _log_sum_exp(log_density)
    return _log_sum_exp(joint), marginals


def _log_sum_exp(rows: np.ndarray) -> np.ndarray:
    """The log of the sum over each row's exponentials. The rows are used up."""
    largest = rows.max(1)
    rows -= largest[:, None]
    return largest + np.log(np.exp(rows, out=rows).sum(1))
