"""How well it can be told from a code which plate, well or batch its image is of."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._kinds import known_kinds
from vaelab.metrics._metric import metric
from vaelab.metrics._predicted import nearest_kinds, probabilities
from vaelab.metrics._resample import interval_of_means
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Groups
from vaelab.metrics._truth import standardized

MOST_GROUPS = 200
MOST_IMAGES = 5000


@metric(
    "Predictability of the batch",
    group="batches",
    order=10,
    better="neither",
    source="Ando et al. 2017, https://doi.org/10.1101/161422",
)
def batch_predictability(codes: Codes, groups: Groups, num_neighbours: int = 10) -> list[Score]:
    """The share of images of each group that a probe puts into that group by their codes, in the mean over groups.

    First by logistic regression (C = 1); as the part ``neighbours``, by the group of most of the nearest codes. Each
    fifth of the images is told by a probe fitted to the other four; the latents are standardised. If the code says
    nothing of the group, one in so many groups is right: the null. A score above says that codes remember where an
    image was made: lower is better if the groups hold the same kinds, but where they do not, it may be the kinds that
    are told.

    The interval is over images. Of more than 5,000 images 5,000 are drawn.

    Args:
        codes: posterior means.
        groups: two to 200 plates, wells or batches; one of a single image cannot be told.
        num_neighbours: Of the second probe; 1 or more.

    Raises:
        InputError: Codes and groups do not go together, or a value is missing.

    *Source*: Ando et al. 2017 (https://doi.org/10.1101/161422), on batch effects in embeddings of cells; balanced
    accuracy: Brodersen et al. 2010.

    >>> z = np.random.default_rng(0).normal(size=(200, 2))
    >>> batch_predictability(z + np.repeat([[0], [20]], 100, axis=0), np.repeat(["plate 1", "plate 2"], 100))[0].value
    1.0
    """
    known = known_kinds(codes, groups, what="groups", most=MOST_IMAGES)
    if not known.reason and len(known.names) > MOST_GROUPS:
        known = known.without(f"there are more than {MOST_GROUPS} groups")
    if known.reason:
        return known.nothing("balanced accuracy")
    z, kinds, units = standardized(known.codes), known.kinds, known.units
    told = {
        "": probabilities(z, kinds, units).argmax(1),
        "neighbours": nearest_kinds(z, kinds, units, num_neighbours),
    }
    of_group = np.eye(kinds.max() + 1)[kinds]
    of_group = of_group[:, of_group.any(0)]
    count = of_group.shape[1]

    def balanced(means: np.ndarray) -> np.ndarray:
        right, all_ = np.split(means, 2, axis=1)
        return np.divide(right, all_, out=np.zeros_like(right), where=all_ > 0).sum(1) / (all_ > 0).sum(1)

    scores = []
    for part, found in told.items():
        rows = np.hstack([of_group * (found == kinds)[:, None], of_group])
        scores.append(
            Score(
                part=part,
                value=float(balanced(rows.mean(0, keepdims=True))[0]),
                unit="balanced accuracy",
                count=len(kinds),
                interval=interval_of_means(rows, balanced),
                null=1 / count,
                ceiling=1.0,
            )
        )
    return scores
