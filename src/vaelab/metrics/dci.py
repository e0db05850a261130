"""How a predictor of the factors shares its attention among the latents."""

from __future__ import annotations

from typing import Literal

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Lasso

from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Factors, Groups
from vaelab.metrics._truth import truth

Predictor = Literal["gradient_boosting", "random_forest", "lasso"]
_NUM_FOLDS = 5


@metric(
    "DCI disentanglement",
    group="factors",
    order=50,
    better="higher",
    source="Eastwood and Williams 2018, https://openreview.net/forum?id=By-7dz-AZ",
)
def dci(
    codes: Codes,
    factors: Factors,
    groups: Groups | None = None,
    predictor: Predictor = "gradient_boosting",
    value_alone: bool = False,
) -> list[Score]:
    """Disentanglement: how far each latent matters for one factor alone; then completeness and informativeness.

        P(latent, factor): importance for a predictor of the factor from all latents;  H: entropy / its maximum
        disentanglement = sum over latents of w (1 - H(its P over factors)),   w: its share of all importance
        completeness    = sum over factors of w (1 - H(its P over latents)),   w: likewise
        informativeness = R^2 of the predictor on a fifth of the images (of the groups) that it was not fitted to

    gradient_boosting: 30 trees of depth 3, rate 0.3; importance is the variance that is explained.
    random_forest: 20 trees with 5 images or more in a leaf, likewise. lasso: the size of the coefficients, penalty
    0.01, all standardised: it sees straight lines only. Every factor is predicted as a number. The predictors give
    different numbers: compare under one.

    The null is that of the same codes dealt to the images at random, the ceiling that of the factors in the codes'
    place: trees find some importance by chance. The interval leaves out a fifth of the images (of the groups) at a
    time. Of more than 1,000 images 1,000 are drawn; with more than 20 latents 20,000 / latents, at least 250.

    Args:
        codes: posterior means; of a lone latent there is no completeness.
        factors: known numbers, two or more that vary.
        groups: which images belong together, such as those of one well.
        predictor: What predicts.
        value_alone: Whether interval, null and ceiling, which take most of the time, are not wanted.

    Raises:
        InputError: Codes, factors and groups do not go together, or a factor is no number.

    *Source*: Eastwood and Williams 2018, section 2 (https://openreview.net/forum?id=By-7dz-AZ).

    >>> y = np.random.default_rng(0).normal(size=(300, 2))
    >>> turned = y @ [[0.8, -0.6], [0.6, 0.8]]
    >>> [round(dci(z, y, predictor="lasso", value_alone=True)[0].value, 2) for z in (y, turned)]
    [1.0, 0.02]
    """
    known = truth(codes, factors, (), groups, most=_most(codes.shape[1]), fewest_factors=2, need_codes=True)
    if known.reason:
        return known.nothing("score")
    return known.scores(
        lambda z, y, units: _of(z, y, units, predictor),
        ["", "completeness", "informativeness"],
        "score",
        prepare=lambda z, y: (z, y, known.units),
        num_parts=_NUM_FOLDS,
        value_alone=value_alone,
        undefined="one latent alone has no completeness, and one group alone no images to be judged by",
    )


def _most(num_latents: int) -> int:
    return min(1000, max(250, 20_000 // max(num_latents, 1)))


def _of(z: np.ndarray, y: np.ndarray, units: np.ndarray, predictor: Predictor) -> np.ndarray:
    unit = np.unique(units, return_inverse=True)[1]
    test = (unit % _NUM_FOLDS == 0) & (unit.max() > 0)
    importance, r2 = np.zeros((z.shape[1], y.shape[1])), np.full(y.shape[1], np.nan)
    for i, column in enumerate(y.T):
        model = _model(predictor).fit(z[~test], column[~test])
        importance[:, i] = np.abs(model.coef_ if isinstance(model, Lasso) else model.feature_importances_)
        if column[test].std() > 0:
            r2[i] = 1 - np.square(column[test] - model.predict(z[test])).mean() / column[test].var()
    informative = r2[np.isfinite(r2)]
    return np.array(
        [specialised(importance), specialised(importance.T), informative.mean() if len(informative) else np.nan]
    )


def specialised(importance: np.ndarray) -> float:
    """The mean over rows, weighted by their sums, of 1 - the entropy of the row as a share of its maximum.

    >>> specialised(np.array([[3.0, 0.0], [0.5, 0.5]]))
    0.75
    """
    if importance.shape[1] < 2 or not importance.sum():
        return float("nan")
    sums = importance.sum(1, keepdims=True)
    shares = np.divide(importance, sums, out=np.zeros_like(importance), where=sums > 0)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return float((sums[:, 0] * (1 + (shares * logs).sum(1) / np.log(importance.shape[1]))).sum() / importance.sum())


def _model(predictor: Predictor) -> RandomForestRegressor | GradientBoostingRegressor | Lasso:
    if predictor == "gradient_boosting":
        return GradientBoostingRegressor(n_estimators=30, learning_rate=0.3, random_state=0)
    return (
        RandomForestRegressor(20, min_samples_leaf=5, random_state=0) if predictor == "random_forest" else Lasso(0.01)
    )
