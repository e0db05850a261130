"""How much latents vary together."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import Codes

_NUM_PARTS = 100
_UNIT = "correlation"


@metric(
    "Correlation of latents",
    group="code",
    order=35,
    better="lower",
    source="Kumar et al. 2018, https://arxiv.org/abs/1711.00848 (the covariance of codes)",
)
def code_covariance(codes: Codes) -> list[Score]:
    """The correlation of two latents, without its sign, as a mean over pairs; then that of the most correlated pair.

        mean over pairs of latents of |cov(i, j)| / sqrt(var(i) var(j))

    The part is called by the two latents, such as `0 and 3`. Unlike a mean of |code_i code_j| it takes off the
    means and does not depend on the latents' scale. Latents that are constant are left out. Correlation is the
    dependence along straight lines alone; see `total_correlation` for all of it. Of N images independent latents have
    about sqrt(2 / (pi N)). The interval is a jackknife of 100 parts of the images: a bootstrap would lie too high.

    Args:
        codes: the posteriors' means.

    *Source*: Kumar et al. 2018, section 3, which penalises the covariance of codes (https://arxiv.org/abs/1711.00848);
    Kott 2001, The delete-a-group jackknife, Journal of Official Statistics 17.

    >>> codes = np.array([[0.0, 0.0, 5.0], [1.0, -2.0, 5.0], [3.0, -6.0, 5.0]])
    >>> [(score.part, round(score.value, 6)) for score in code_covariance(codes)]
    [('', 1.0), ('0 and 1', 1.0)]
    """
    count = len(codes)
    if not np.isfinite(codes).all():
        return [no_score("codes are not all finite", _UNIT, count)]
    z = codes.astype(np.float64) - codes.mean(0, dtype=np.float64) if count else codes
    varies = np.flatnonzero((codes != codes[:1]).any(0))
    if len(varies) < 2:
        return [no_score(f"latents that vary are {len(varies)}, and a pair is 2", _UNIT, count)]
    z = np.column_stack([np.ones(count), z[:, varies] / z[:, varies].std(0)])
    parts = np.array_split(np.random.default_rng(0).permutation(count), min(_NUM_PARTS, count))
    sums = z.T @ z
    whole, pairs = _correlations(sums), np.triu_indices(len(varies), 1)
    largest = int(np.argmax(whole[pairs]))

    def both(correlations: np.ndarray) -> np.ndarray:
        return np.array([correlations[pairs].mean(), correlations[pairs][largest]])

    without = np.array([both(_correlations(sums - z[rows].T @ z[rows])) for rows in parts])
    spread = 1.98 * np.sqrt((len(parts) - 1) * np.square(without - without.mean(0)).mean(0))
    names = "", " and ".join(str(varies[side[largest]]) for side in pairs)
    return [_score(*each, count) for each in zip(names, both(whole), spread, strict=True)]


def _correlations(moments: np.ndarray) -> np.ndarray:
    """(latent, latent), without sign, from the sums of 1, z, and products of z."""
    means = moments[0, 1:] / moments[0, 0]
    covariance = moments[1:, 1:] / moments[0, 0] - np.outer(means, means)
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    return np.minimum(np.abs(covariance) / np.outer(scale, scale), 1)


def _score(part: str, value: float, spread: float, count: int) -> Score:
    interval = (max(0.0, float(value - spread)), min(1.0, float(value + spread))) if count > 2 else None
    return Score(part=part, value=float(value), unit=_UNIT, count=count, interval=interval, ceiling=1.0)
