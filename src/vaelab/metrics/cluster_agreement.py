"""How far clusters and kinds part the images alike, whatever they are called."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, normalized_mutual_info_score

from vaelab.metrics._kinds import known_kinds
from vaelab.metrics._metric import metric
from vaelab.metrics._resample import jackknife
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Groups, Labels

_SCORES = {
    "": adjusted_rand_score,
    "normalised mutual information": normalized_mutual_info_score,
    "adjusted mutual information": adjusted_mutual_info_score,
}


@metric(
    "Agreement of clusters",
    group="clusters",
    order=20,
    better="higher",
    source="Hubert and Arabie 1985; Vinh et al. 2010, https://jmlr.org/papers/v11/vinh10a.html",
)
def cluster_agreement(labels: Labels, clusters: Labels, groups: Groups | None = None) -> list[Score]:
    """The adjusted Rand index of clusters and kinds; their normalised and their adjusted mutual information as parts.

        adjusted Rand = (pairs that both keep together - as many by chance) / (mean of both kinds of pairs - by chance)
        normalised    = I(labels; clusters) / mean of H(labels) and H(clusters);   adjusted: with I by chance taken off

    All are 1 where the two differ in names alone. What is adjusted is 0 by chance, and can be below. The normalised one
    is above 0 by chance, the more the more clusters there are: its null is that of the same clusters dealt to the
    images at random. The interval leaves out a tenth of the images (of the groups) at a time. Of more than 10,000
    images 10,000 are drawn.

    Args:
        labels: two kinds or more.
        clusters: where each image was put.
        groups: which images belong together, such as those of one well.

    Raises:
        InputError: Labels, clusters and groups do not go together, or a value is missing.

    *Source*: Hubert and Arabie 1985 (https://doi.org/10.1007/BF01908075); Vinh et al. 2010
    (https://jmlr.org/papers/v11/vinh10a.html), with arithmetic means.

    >>> [round(score.value, 6) for score in cluster_agreement(np.array(["a", "b"] * 9), np.array([1, 0] * 9))]
    [1.0, 1.0, 1.0]
    """
    unit = "agreement"
    known = known_kinds(np.zeros((len(labels), 0)), labels, groups, clusters, others_name="clusters")
    if known.reason:
        return known.nothing(unit)
    kinds, found = known.kinds, known.others

    def scores(kinds: np.ndarray, found: np.ndarray) -> np.ndarray:
        return np.array([score(kinds, found) for score in _SCORES.values()])

    values = scores(kinds, found)
    by_chance = normalized_mutual_info_score(kinds, np.random.default_rng(1).permutation(found))
    half = jackknife(lambda rows: scores(kinds[rows], found[rows]), known.units)
    far = [None] * len(values) if half is None else half
    ends = [h if h is None else (float(v - h), float(min(v + h, 1))) for v, h in zip(values, far, strict=True)]
    return [
        Score(part=part, value=float(value), unit=unit, count=len(kinds), interval=end, null=float(null), ceiling=1.0)
        for part, value, end, null in zip(_SCORES, values, ends, (0, by_chance, 0), strict=True)
    ]
