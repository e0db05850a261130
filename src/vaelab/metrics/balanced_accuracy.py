"""How often a classifier puts images where they belong, every class counting alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from vaelab.errors import InputError
from vaelab.metrics._calibration import share_interval
from vaelab.metrics._metric import metric
from vaelab.metrics._numbers import units_of
from vaelab.metrics._resample import interval_of_means
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import Classes, Groups

_UNIT = "share of images"


@metric(
    "Balanced accuracy",
    group="features",
    order=82,
    better="higher",
    source="Brodersen et al. 2010, https://doi.org/10.1109/ICPR.2010.764",
)
def balanced_accuracy(
    image_classes: Classes, label_classes: Classes, class_names: Sequence[str] = (), groups: Groups | None = None
) -> Iterator[Score]:
    """The mean over classes of the share of their images that the classifier puts there; then each class's own.

    A classifier that always says the commonest class has 1 over the number of classes, however common that is. The null
    of a class is the share of all images that are put there.

    Args:
        image_classes: where the classifier puts each image, as a number from 0.
        label_classes: where it belongs; images below 0, of whose kind no training image was, are left out.
        class_names: of the classes; numbers where it is empty.
        groups: which images belong together; intervals are then over groups. Those of classes are Wilson's.

    Raises:
        InputError: There is not one for each image.

    *Source*: Brodersen et al. 2010, The balanced accuracy and its posterior distribution
    (https://doi.org/10.1109/ICPR.2010.764).

    >>> [(s.part, s.value) for s in balanced_accuracy(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), ("a", "b"))]
    [('', 0.75), ('a', 1.0), ('b', 0.5)]
    """
    if len(image_classes) != len(label_classes):
        raise InputError("label_classes", f"be one for each of {len(image_classes)} images", len(label_classes))
    known = label_classes >= 0
    if not known.any():
        yield no_score("no image is of a known class", _UNIT, len(label_classes))
        return
    kinds, own = np.unique(label_classes[known], return_inverse=True)
    right = (image_classes == label_classes)[known].astype(np.float64)
    units = units_of(None if groups is None else groups[known], len(own))
    count = len(kinds)
    sums = np.zeros((units.max() + 1, 2 * count))
    np.add.at(sums, (units, own), right)
    np.add.at(sums, (units, count + own), 1.0)

    def mean_share(means: np.ndarray) -> np.ndarray:
        """Of the classes that a resample has."""
        hits, all_of = means[:, :count], means[:, count:]
        there = all_of > 1e-12
        return np.where(there, hits / np.where(there, all_of, 1), 0).sum(1) / there.sum(1)

    shares = sums.sum(0)[:count] / sums.sum(0)[count:]
    yield Score(
        value=float(shares.mean()),
        unit=_UNIT,
        count=len(own),
        interval=interval_of_means(sums, mean_share),
        null=1 / count,
        ceiling=1.0,
    )
    for i, kind in enumerate(kinds.tolist()):
        name = str(class_names[kind]) if len(class_names) else str(kind)
        null = float((image_classes[known] == kind).mean())
        here = own == i
        yield Score(
            part=name,
            value=float(right[here].mean()),
            unit=_UNIT,
            count=int(here.sum()),
            interval=share_interval(right[here], None if groups is None else groups[known][here]),
            null=null,
            ceiling=1.0,
        )
