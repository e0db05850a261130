"""How many dimensions the codes fill."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from vaelab.metrics._metric import metric
from vaelab.metrics._resample import interval_of_means
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import Codes

MOST_IMAGES = 10_000
NUM_NEIGHBOURS = 20
_UNIT = "dimensions"
_KEPT = 0.9


@metric(
    "Intrinsic dimension",
    group="code",
    order=15,
    better="neither",
    source="Facco et al. 2017, https://doi.org/10.1038/s41598-017-11873-y",
)
def intrinsic_dimension(codes: Codes, num_neighbours: int = NUM_NEIGHBOURS) -> list[Score]:
    """How many numbers it takes to say where a code is among its neighbours: 2 for a surface, however it is bent.

        TwoNN: d = (number of images with log(r2 / r1) <= t, less one) / sum over images of min(log(r2 / r1), t)
        MLE:   1 / d = mean over images of 1 / (k - 1) * sum over j < k of log(rk / rj)

    rj is the distance to the j-th nearest code, and t the ratio that nine tenths of images don't pass. The whole is
    TwoNN, which looks at two neighbours and so at the smallest scale, where noise of the codes shows; the part `MLE`
    looks at 20. Both take the density to be even among these neighbours, and are too low for many dimensions and few
    images: of 10,000 in a cube of 10 dimensions TwoNN makes 8.8, MLE 8.5. Images of the same code have the neighbours
    of one; of more than 10,000 images 10,000 are drawn.

    Args:
        codes: the posteriors' means, or any codes.
        num_neighbours: k of MLE, 3 or more.

    *Source*: Facco et al. 2017 (https://doi.org/10.1038/s41598-017-11873-y), fitted by maximum likelihood; Levina and
    Bickel 2004, Maximum likelihood estimation of intrinsic dimension, averaged as MacKay and Ghahramani
    (http://www.inference.org.uk/mackay/dimension/).

    >>> plane = np.random.default_rng(0).random((2000, 2))
    >>> bent = np.column_stack([plane, np.square(plane), np.sin(plane)])
    >>> [(score.part, round(score.value)) for score in intrinsic_dimension(bent)]
    [('', 2), ('MLE', 2)]
    """
    count = len(codes)
    rows = np.random.default_rng(0).permutation(count)[:MOST_IMAGES]
    drawn = np.asarray(codes, np.float64)[np.sort(rows)]
    if not np.isfinite(drawn).all():
        return [no_score("codes are not all finite", _UNIT, count)]
    drawn, place = np.unique(drawn, axis=0, return_inverse=True)
    if len(drawn) < num_neighbours + 2:
        reason = f"{len(drawn)} different codes are fewer than {num_neighbours + 2}"
        return [no_score(reason, _UNIT, count)]
    distances = KDTree(drawn).query(drawn, num_neighbours + 1)[0][:, 1:]
    logs = np.log(np.maximum(distances, 1e-300))[place]
    return [_two(logs[:, 1] - logs[:, 0], len(rows)), _many(logs, len(rows))]


def _two(logs: np.ndarray, count: int) -> Score:
    """By two neighbours: log(r2 / r1) is exponential with rate d, and the largest are counted as above t."""
    num_kept = int(len(logs) * _KEPT)
    most = np.partition(logs, num_kept - 1)[num_kept - 1]
    kept = (logs <= most) * (num_kept - 1) / num_kept
    return _score("", np.stack([kept, np.minimum(logs, most)], 1), count)


def _many(logs: np.ndarray, count: int) -> Score:
    """By k neighbours."""
    inverse = (logs[:, -1:] - logs[:, :-1]).mean(1)
    return _score("MLE", np.stack([np.ones(len(logs)), inverse], 1), count)


def _score(part: str, numbers: np.ndarray, count: int) -> Score:
    """The ratio of two means over images."""

    def ratio(means: np.ndarray) -> np.ndarray:
        return means[:, 0] / np.maximum(means[:, 1], 1e-300)

    value = float(ratio(numbers.mean(0, keepdims=True))[0])
    return Score(part=part, value=value, unit=_UNIT, count=count, interval=interval_of_means(numbers, ratio))
