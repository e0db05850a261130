"""How far codes of a kind lie together within a plate, across plates and across batches."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._kinds import Known, known_kinds, mean_of_units
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Groups, Labels

MOST_IMAGES = 5000
_CHUNK = 500


@metric(
    "Kind of the nearest image, by batch",
    group="batches",
    order=30,
    better="higher",
    source="Ljosa et al. 2013, https://doi.org/10.1177/1087057113503553",
)
def label_by_batch(codes: Codes, labels: Labels, groups: Groups, batches: Groups | None = None) -> list[Score]:
    """How often the nearest code is of the same kind, if it must come from elsewhere: the harder, the farther off.

    ``same group``: the nearest of the other images of the group; ``other group``: the nearest of other groups, of the
    same batch where batches are known; ``other batch``: the nearest of other batches. The first score is the hardest of
    those that there are. A code that remembers the plate finds the kind within it and loses it across: so compare the
    parts, and believe the hardest. Images that have nobody to be compared with at a level are left out there.

    The null of each is the share of the images to be chosen from that are of the same kind, in the mean. The interval
    is over groups. Distances are Euclidean. Of more than 5,000 images 5,000 are drawn.

    Args:
        codes: posterior means, taken as they are.
        labels: two kinds or more.
        groups: plates, or wells; two or more.
        batches: what those were made in.

    Raises:
        InputError: Codes, labels, groups and batches do not go together, or a value is missing.

    *Source*: the levels are those of MorphoHELM; nearest neighbours not of the same well or batch: Ljosa et al. 2013
    (https://doi.org/10.1177/1087057113503553), Ando et al. 2017 (https://doi.org/10.1101/161422).

    >>> z = np.array([[0.0], [1.0], [5.0], [6.0]])[[0, 0, 1, 1, 2, 2, 3, 3]]  # the second plate has them turned round
    >>> kinds, plates = np.array(list("aabbbbaa")), np.array([1, 1, 1, 1, 2, 2, 2, 2])
    >>> [(score.part, score.value) for score in label_by_batch(z, kinds, plates)[1:]]
    [('same group', 1.0), ('other group', 0.5)]
    """
    known = known_kinds(codes, labels, groups, batches, most=MOST_IMAGES)
    if not known.reason and known.units.max() == 0:
        known = known.without("there is one group alone")
    if known.reason:
        return known.nothing("share of images")
    found = {name: score for name, score in _levels(known).items() if score is not None}
    hardest = list(found)[-1]
    whole = Score(**{**vars(found[hardest]), "part": ""})
    return [whole, *found.values()]


def _levels(known: Known) -> dict[str, Score | None]:
    """The score of each level, the easiest first; none where no image has anybody to be compared with."""
    names = ["same group", "other group", *(["other batch"] if known.others.any() else [])]
    count = len(known.kinds)
    hits, shares = np.full((len(names), count), np.nan), np.full((len(names), count), np.nan)
    squares = np.square(known.codes).sum(1)
    for start in range(0, count, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, count))
        distances = squares - 2 * known.codes[rows] @ known.codes.T
        own_group = known.units[rows, None] == known.units
        own_batch = known.others[rows, None] == known.others
        same = known.kinds[rows, None] == known.kinds
        itself = rows[:, None] == np.arange(count)
        for level, may in enumerate((own_group & ~itself, ~own_group & own_batch, ~own_batch)[: len(names)]):
            some = may.any(1)
            nearest = np.where(may, distances, np.inf).argmin(1)
            hits[level, rows[some]] = same[np.arange(len(rows)), nearest][some]
            shares[level, rows[some]] = (same & may).sum(1)[some] / may.sum(1)[some]
    return {name: _score(name, hits[i], shares[i], known.units) for i, name in enumerate(names)}


def _score(part: str, hits: np.ndarray, shares: np.ndarray, units: np.ndarray) -> Score | None:
    there = np.isfinite(hits)
    if not there.any():
        return None
    null = float(shares[there].mean())
    return mean_of_units(hits[there], units[there], "share of images", part=part, null=null, ceiling=1.0)
