"""How far the images of a kind lie from those of the nearest other kind."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import silhouette_samples

from vaelab.metrics._kinds import known_kinds, mean_of_units
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Groups, Labels

MOST_IMAGES = 3000


@metric(
    "Separation of kinds",
    group="labels",
    order=20,
    better="higher",
    source="Rousseeuw 1987, https://doi.org/10.1016/0377-0427(87)90125-7",
)
def class_separation(codes: Codes, labels: Labels, groups: Groups | None = None) -> list[Score]:
    """The mean silhouette of the kinds in the codes, and that of each kind.

        silhouette of an image = (b - a) / max(a, b)
        a: its mean distance to the others of its kind;   b: that to the images of the nearest other kind

    1: each kind is a point far from all others; 0: they lie on top of each other; below 0: an image lies nearer to
    another kind. An image that is the only one of its kind has 0. Distances are Euclidean, of the codes as they are.
    The null is that of the same codes dealt to the images at random. The interval is over images, or groups. Of more
    than 3,000 images 3,000 are drawn.

    Args:
        codes: posterior means.
        labels: two kinds or more, at least one of two images.
        groups: which images belong together, such as those of one well.

    Raises:
        InputError: Codes, labels and groups do not go together, or a value is missing.

    *Source*: Rousseeuw 1987 (https://doi.org/10.1016/0377-0427(87)90125-7).

    >>> z, kinds = np.array([[0.0], [1.0], [10.0], [11.0]]), np.array(["a", "a", "b", "b"])
    >>> [(score.part, round(score.value, 3)) for score in class_separation(z, kinds)]
    [('', 0.9), ('a', 0.9), ('b', 0.9)]
    """
    known = known_kinds(codes, labels, groups, most=MOST_IMAGES)
    if not known.reason and len(np.unique(known.kinds)) == len(known.kinds):
        known = known.without("each image is of a kind of its own")
    if known.reason:
        return known.nothing("silhouette")
    z, kinds = known.codes, known.kinds
    shuffled = np.random.default_rng(1).permutation(z)
    own, dealt = (np.asarray(silhouette_samples(codes, kinds)) for codes in (z, shuffled))
    rows = {"": np.ones(len(kinds), bool)} | {known.names[kind]: kinds == kind for kind in np.unique(kinds)}
    return [
        mean_of_units(own[of], known.units[of], "silhouette", part=part, null=float(dealt[of].mean()), ceiling=1.0)
        for part, of in rows.items()
    ]
