"""How far the steps lie from images, as two Gaussians, in features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vaelab.metrics._features import frechet, reason_against
from vaelab.metrics._metric import metric
from vaelab.metrics._resample import jackknife
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._series import kinds_of_steps
from vaelab.metrics._shapes import Features, StepFeatures

MOST_IMAGES = 5000
_UNIT = "squared distance of features"


@metric(
    "Frechet distance of the series",
    group="explanations",
    order=70,
    better="lower",
    source="Heusel et al. 2017, https://arxiv.org/abs/1706.08500; of a series: Singla et al. 2020, arXiv 1911.00483",
)
def series_frechet(
    real_features: Features,
    series_features: StepFeatures,
    drawn_features: Features | None = None,
    target_names: Sequence[str] = (),
) -> Iterator[Score]:
    """The Frechet distance of the steps from the images: of all steps together, of reconstructions, of each target.

        |m - n|^2 + tr(S + T - 2 (S T)^(1/2)),  m, n the means, S, T the covariances

    What a model blurs lies far from images whatever the explanation is: set the steps beside the reconstructions, which
    are the same model's. The number is not comparable with FID, whose features are Inception's, nor with that of other
    features, nor of other images: it is too large by what shrinks with their number. The null is what steps score that
    are all alike, at the images' mean: the images' variance. Of more than 5,000 images 5,000 are drawn.

    Args:
        real_features: of the images.
        series_features: of each step of each image.
        drawn_features: of the images' reconstructions.
        target_names: of the steps; numbers where it is empty.

    Raises:
        InputError: They are not of the same images.

    *Source*: Heusel et al. 2017 (https://arxiv.org/abs/1706.08500); by what a classifier says: Singla et al. 2020
    (https://arxiv.org/abs/1911.00483).

    >>> x = np.random.default_rng(0).normal(size=(1000, 3))
    >>> round(next(iter(series_frechet(x, (x + [3, 4, 0])[:, None]))).value, 6)
    25.0
    """
    real, kinds = kinds_of_steps(real_features, series_features, drawn_features, target_names, MOST_IMAGES)
    for part, steps in kinds.items():
        if reason := reason_against(real, steps.reshape(len(steps), -1), 1):
            yield replace(no_score(reason, _UNIT, len(real)), part=part)
        else:
            yield replace(_measured(real, steps), part=part)


def _measured(real: np.ndarray, steps: np.ndarray) -> Score:
    """Its interval is over images, each with all its steps."""

    def distance(rows: np.ndarray) -> np.ndarray:
        return np.array([frechet(real[rows], steps[rows].reshape(-1, real.shape[1]))])

    value, null = float(distance(np.arange(len(real)))[0]), float(real.var(0, ddof=1).sum())
    half = jackknife(distance, np.arange(len(real)))
    far = 0.0 if half is None else float(half[0])
    interval = (max(0.0, value - far), value + far)
    return Score(value=value, unit=_UNIT, count=len(real), interval=interval, null=null)
