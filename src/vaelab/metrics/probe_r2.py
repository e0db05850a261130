"""How much of what is known of the images can be read off their codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaelab.errors import InputError
from vaelab.metrics._metric import metric
from vaelab.metrics._resample import interval_of_means
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import Codes, Factors, Groups, TrainingCodes, TrainingFactors

Probe = Literal["linear", "neighbours"]
_NUM_FOLDS = 5


@metric(
    "R^2 of a probe",
    group="factors",
    order=10,
    better="higher",
    source="Alain and Bengio 2017, https://arxiv.org/abs/1610.01644",
)
def probe_r2(
    codes: Codes,
    factors: Factors,
    factor_names: Sequence[str] = (),
    train_codes: TrainingCodes | None = None,
    train_factors: TrainingFactors | None = None,
    probe: Probe = "linear",
    num_neighbours: int = 10,
    groups: Groups | None = None,
) -> list[Score]:
    """R^2 with which a probe, fitted to other images' codes, predicts the known factors of these.

        1 - sum_images (y - prediction)^2 / sum_images (y - mean of y)^2

    Linear: least squares, which finds what lies along straight axes. Neighbours: the mean of the nearest codes, each
    latent standardised, which also finds what is bent. 1 is perfect, 0 no better than the mean, below 0 worse. The
    first score is the mean over factors, then comes each. A factor that is the same for all images has none.

    Args:
        codes: posterior means of the images to be judged by.
        factors: known numbers of them.
        factor_names: of the factors; numbers where it is empty.
        train_codes: of other images, to fit on; left out, each fifth of the images is predicted from the others.
        train_factors: of those.
        probe: Which probe.
        num_neighbours: Of the second probe; 1 or more.
        groups: which images belong together, such as those of one well. Each is then predicted from other groups, and
            the interval is over groups.

    Raises:
        InputError: Images, numbers and groups do not go together, or a probe has fewer than 2 images to be fitted to.

    *Source*: Alain and Bengio 2017 (https://arxiv.org/abs/1610.01644).

    >>> z = np.random.default_rng(0).normal(size=(200, 2))
    >>> [round(score.value, 6) for score in probe_r2(z, np.stack([z[:, 0], -z[:, 1]], 1), ("a", "b"))]
    [1.0, 1.0, 1.0]
    """
    y = np.asarray(factors, np.float64)
    for name, rows, numbers in (("codes", codes, y), ("train_codes", train_codes, train_factors)):
        fewest = 2 if name == "train_codes" else 0
        if rows is not None and (numbers is None or len(rows) != len(numbers) or len(rows) < fewest):
            count = "none" if numbers is None else len(numbers)
            at_least = f", and at least {fewest}" if fewest else ""
            raise InputError(name, f"be one for each of {count} images{at_least}", len(rows))
    together = np.arange(len(y)) if groups is None else np.unique(groups, return_inverse=True)[1]
    if len(together) != len(y):
        raise InputError("groups", f"be one for each of {len(y)} images", len(together))
    if reason := _reason(codes, y, together):
        return [no_score(reason, "R^2", len(y))]
    varies = y.std(0) > 0
    names = [str(name) for name in factor_names or range(y.shape[1])]
    y, spread = y[:, varies], np.square(y - y.mean(0))[:, varies]
    if train_codes is None or train_factors is None:
        predicted = predicted_from_others(codes, y, probe, num_neighbours, None if groups is None else together)
    else:
        predicted = _fitted(train_codes, np.asarray(train_factors, np.float64)[:, varies], probe, num_neighbours)(codes)
    errors, count = np.square(y - predicted), y.shape[1]
    sums = np.zeros((together.max() + 1, 2, count))
    np.add.at(sums, together, np.stack([errors, spread], 1))

    def r2(means: np.ndarray) -> np.ndarray:
        return (1 - means[:, : means.shape[1] // 2] / means[:, means.shape[1] // 2 :]).mean(1)

    parts = {name: [i] for i, name in enumerate(np.array(names)[varies])}
    columns = {"": list(range(count))} | (parts if count > 1 or factor_names else {})
    return [
        Score(
            part=str(part),
            value=float((1 - errors[:, some].sum(0) / spread[:, some].sum(0)).mean()),
            unit="R^2",
            count=len(y),
            interval=interval_of_means(sums[:, :, some].reshape(len(sums), -1), r2),
            null=0.0,
            ceiling=1.0,
        )
        for part, some in columns.items()
    ]


def _reason(codes: np.ndarray, y: np.ndarray, together: np.ndarray) -> str:
    """Why nothing can be measured; empty where it can."""
    if len(y) < 2:
        return "there are fewer than 2 images"
    if together.max() == 0:
        return "there is one group alone"
    if not np.isfinite(codes).all():
        return "a code is not finite"
    return "" if (y.std(0) > 0).any() else "no factor varies"


def predicted_from_others(
    codes: np.ndarray, y: np.ndarray, probe: Probe, num_neighbours: int, groups: np.ndarray | None
) -> np.ndarray:
    """Each image predicted by a probe that was fitted without its fold: whole groups, else a draw by the codes."""
    units = np.argsort(np.lexsort((*y.T, *codes.T))) if groups is None else groups
    count = units.max() + 1
    fold = (np.random.default_rng(0).permutation(count) % min(_NUM_FOLDS, count))[units]
    predicted = np.empty_like(y)
    for here in range(fold.max() + 1):
        predicted[fold == here] = _fitted(codes[fold != here], y[fold != here], probe, num_neighbours)(
            codes[fold == here]
        )
    return predicted


def _fitted(codes: np.ndarray, y: np.ndarray, probe: Probe, num_neighbours: int):
    """The function that predicts factors from codes."""
    if probe == "linear":
        return LinearRegression().fit(codes, y).predict
    neighbours = KNeighborsRegressor(min(num_neighbours, len(codes)))
    return make_pipeline(StandardScaler(), neighbours).fit(codes, y).predict
