"""Modularity, compactness and explicitness, each as a share of information."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LinearRegression

from vaelab.metrics._information import shares
from vaelab.metrics._metric import metric
from vaelab.metrics._predicted import folds, probabilities
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Factors, Groups
from vaelab.metrics._truth import entropies, is_discrete, truth, values

MOST_IMAGES = 2000
_ACTIVE = 1 / 20


@metric(
    "InfoMEC: InfoM",
    group="factors",
    order=100,
    better="higher",
    source="Hsu et al. 2023, https://arxiv.org/abs/2305.18378",
)
def infomec(codes: Codes, factors: Factors, groups: Groups | None = None, value_alone: bool = False) -> list[Score]:
    """InfoM: how far the information of a latent is on one factor; InfoC: on compactness, and InfoE: on explicitness.

        N(latent, factor) = I(latent; factor) / H(factor), from 0 to 1
        InfoM = the mean over latents of  (largest N / sum of N over factors - 1/F) / (1 - 1/F)
        InfoC = the mean over factors of  (largest N / sum of N over latents - 1/D) / (1 - 1/D)
        InfoE = the mean over factors of  1 - loss of a linear predictor from all latents / loss without the latents

    Information is estimated by nearest neighbours (Kraskov et al. 2004; for factors of 20 values or fewer Ross 2014);
    H is by values, or by 20 bins of equal width where there are more. D counts the active latents, whose range is above
    a twentieth of the largest; the others do not count. The predictor is least squares with squared errors; for factors
    of 20 values or fewer it is logistic regression, hardly regularised (C = 100), with its log loss, no probability
    below a thousandth of the value's share. It is fitted to the other four fifths of the images (of the groups), where
    the authors fit it to the same images.

    The null is that of the same codes dealt to the images at random: not 0 for InfoM and InfoC, since chance favours
    some factor. The ceiling is what the factors score in the codes' place. The interval leaves out a tenth of the
    images (of the groups) at a time. Of more than 2,000 images 2,000 are drawn.

    Args:
        codes: posterior means; with one active latent there is no InfoC.
        factors: known numbers, two or more that vary.
        groups: which images belong together, such as those of one well.
        value_alone: Whether interval, null and ceiling, which take most of the time, are not wanted.

    Raises:
        InputError: Codes, factors and groups do not go together, or a factor is no number.

    *Source*: Hsu et al. 2023, section 4 (https://arxiv.org/abs/2305.18378).

    >>> y = np.random.default_rng(0).random((500, 2))
    >>> bool(min(score.value for score in infomec(y, y, value_alone=True)) > 0.95)
    True
    """
    known = truth(_active(codes), factors, (), groups, most=MOST_IMAGES, fewest_factors=2, need_codes=True)
    if not known.reason and known.units.max() == 0:
        known = known.without("there is one group alone")
    if known.reason:
        return known.nothing("score")
    most = entropies(values(known.factors))

    def of(information: np.ndarray, losses: np.ndarray, without: np.ndarray) -> np.ndarray:
        share = np.clip(np.nanmean(information, axis=0) / most, 0, 1)
        return np.array([_largest(share), _largest(share.T), (1 - losses.mean(0) / without.mean(0)).mean()])

    def looked_at(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        z = z[:, z.any(0)]
        losses = [_losses(z, column, known.units) for column in y.T]
        return shares(z, y), *(np.stack(parts, axis=1) for parts in zip(*losses, strict=True))

    return known.scores(
        of,
        ["", "InfoC", "InfoE"],
        "score",
        prepare=looked_at,
        value_alone=value_alone,
        undefined="one active latent alone has no compactness",
    )


def _active(codes: np.ndarray) -> np.ndarray:
    """The codes, where those whose range is small are 0."""
    if not len(codes):
        return codes
    ranges = np.ptp(codes, axis=0)
    return np.where(ranges > _ACTIVE * ranges.max(), codes, 0) if np.isfinite(ranges).all() else codes


def _largest(share: np.ndarray) -> float:
    """The mean over rows with any of how far the row is one number, from 0: all alike, to 1."""
    share, count = share[share.sum(1) > 0], share.shape[1]
    if count == 1:
        return np.nan
    return float(((share.max(1) / share.sum(1) - 1 / count) / (1 - 1 / count)).mean()) if len(share) else 0.0


def _losses(z: np.ndarray, y: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(image,) losses of the predictor, and those without the latents."""
    if not is_discrete(y):
        predicted = np.empty_like(y)
        for here in folds(units):
            predicted[here] = LinearRegression().fit(z[~here], y[~here]).predict(z[here])
        return np.square(y - predicted), np.square(y - y.mean())
    kinds = np.unique(y, return_inverse=True)[1]
    own = probabilities(z, kinds, units, 100)[np.arange(len(kinds)), kinds]
    without = np.bincount(kinds)[kinds] / len(kinds)
    return -np.log(np.maximum(own, 1e-3 * without)), -np.log(without)
