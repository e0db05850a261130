"""How often the kind of an image can be told from its code."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._kinds import known_kinds, mean_of_units
from vaelab.metrics._metric import metric
from vaelab.metrics._predicted import nearest_kinds, probabilities
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Groups, Labels
from vaelab.metrics._truth import standardized

MOST_KINDS = 200
MOST_IMAGES = 5000


@metric(
    "Accuracy of a probe",
    group="labels",
    order=10,
    better="higher",
    source="Alain and Bengio 2017, https://arxiv.org/abs/1610.01644",
)
def probe_accuracy(codes: Codes, labels: Labels, groups: Groups | None = None, num_neighbours: int = 10) -> list[Score]:
    """The share of images whose kind a probe tells that was fitted to the codes of other images.

    First by logistic regression (C = 1), which finds kinds that planes part; as the part ``neighbours``, by the kind of
    most of the nearest codes, which also finds what is bent. Each fifth of the images is told by a probe fitted to the
    other four; with `groups`, each fifth of the groups, so that what a probe remembers of a plate does not count. The
    latents are standardised. Naming the largest kind for every image scores the null.

    The interval is over images, or groups. Of more than 5,000 images 5,000 are drawn.

    Args:
        codes: posterior means.
        labels: two to 200 kinds.
        groups: which images belong together, such as those of one well or plate; two or more.
        num_neighbours: Of the second probe; 1 or more.

    Raises:
        InputError: Codes, labels and groups do not go together, or a value is missing.

    *Source*: Alain and Bengio 2017 (https://arxiv.org/abs/1610.01644).

    >>> z = np.random.default_rng(0).normal(size=(200, 2))
    >>> probe_accuracy(z + np.repeat([[0], [20]], 100, axis=0), np.repeat(["a", "b"], 100))[0].value
    1.0
    """
    known = known_kinds(codes, labels, groups, most=MOST_IMAGES)
    if not known.reason and known.units.max() == 0:
        known = known.without("there is one group alone")
    if not known.reason and len(known.names) > MOST_KINDS:
        known = known.without(f"there are more than {MOST_KINDS} kinds")
    if known.reason:
        return known.nothing("share of images")
    z, kinds, units = standardized(known.codes), known.kinds, known.units
    told = {
        "": probabilities(z, kinds, units).argmax(1),
        "neighbours": nearest_kinds(z, kinds, units, num_neighbours),
    }
    largest = float(np.bincount(kinds).max() / len(kinds))
    return [
        mean_of_units((found == kinds).astype(float), units, "share of images", part=part, null=largest, ceiling=1.0)
        for part, found in told.items()
    ]
