"""Whether a classifier tells the steps from images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vaelab.metrics._features import reason_against
from vaelab.metrics._metric import metric
from vaelab.metrics._predicted import probabilities
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._series import kinds_of_steps
from vaelab.metrics._shapes import Features, StepFeatures
from vaelab.metrics._truth import standardized

MOST_IMAGES = 2000
_UNIT = "share told rightly"


@metric(
    "Real or generated",
    group="explanations",
    order=80,
    better="lower",
    source="Lopez-Paz and Oquab 2017, https://arxiv.org/abs/1610.06545 (classifier two-sample test)",
)
def series_realness(
    real_features: Features,
    series_features: StepFeatures,
    drawn_features: Features | None = None,
    target_names: Sequence[str] = (),
) -> Iterator[Score]:
    """How often a logistic regression tells an image from a step: in the mean over targets, then of each.

    0.5 is what cannot be told, and the best. As the part `reconstructions` the same for the images' reconstructions: a
    VAE's blur alone betrays it, so what a step adds to that number is the explanation's. Each fifth of the images is
    told, with their steps, by a regression (C = 1, standardised features) that was fitted to the other four; there are
    as many images as steps of a target. The interval is over images. Of more than 2,000 images 2,000 are drawn.

    Args:
        real_features: of the images.
        series_features: of each step of each image.
        drawn_features: of the images' reconstructions.
        target_names: of the steps; numbers where it is empty.

    Raises:
        InputError: They are not of the same images.

    *Source*: Lopez-Paz and Oquab 2017 (https://arxiv.org/abs/1610.06545).

    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> next(iter(series_realness(x, (x + 20)[:, None]))).value
    1.0
    """
    real, kinds = kinds_of_steps(real_features, series_features, drawn_features, target_names, MOST_IMAGES)
    reasons = {part: reason_against(real, steps.reshape(len(steps), -1), 1) for part, steps in kinds.items()}
    told = {part: _told(real, steps[:, 0]) for part, steps in kinds.items() if part and not reasons[part]}
    of_targets = [told[part] for part in kinds if part in told and part != "reconstructions"]
    if not reasons[""]:
        told[""] = np.mean(of_targets, axis=0) if of_targets else _told(real, kinds[""][:, 0])
    for part, reason in reasons.items():
        score = no_score(reason, _UNIT, len(real)) if reason else mean_score(told[part], _UNIT, ceiling=1.0)
        yield replace(score, part=part)


def _told(real: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(image,): the share that was told rightly of an image and its step, by a regression fitted to other images."""
    kinds = np.repeat([0, 1], len(real))
    found = probabilities(standardized(np.concatenate([real, steps])), kinds, np.tile(np.arange(len(real)), 2))
    right = found[np.arange(len(kinds)), kinds]
    return ((right > 0.5) + 0.5 * (right == 0.5)).reshape(2, -1).mean(0)
