"""By how much one latent says more of a factor than any other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Factors, Groups
from vaelab.metrics._truth import gap, part_names, standardized, truth, whole_and_parts


@metric(
    "SAP score",
    group="factors",
    order=40,
    better="higher",
    source="Kumar et al. 2018, https://arxiv.org/abs/1711.00848",
)
def sap(
    codes: Codes,
    factors: Factors,
    factor_names: Sequence[str] = (),
    groups: Groups | None = None,
    value_alone: bool = False,
) -> list[Score]:
    """Separated attribute predictability: by how much the best latent predicts a factor better than the second does.

        1/F sum over factors of (R^2 of the best latent - R^2 of the second best)

    R^2 is that of a straight line from one latent to the factor: the squared correlation. Kumar et al. take it for
    numbers, and thresholds for kinds; here a factor is always a number. 1 is reached where each factor is a latent, and
    the factors do not correlate; the ceiling is what the factors score in the codes' place. The null is that of the
    same codes dealt to the images at random. Then comes each factor; one that is the same for all images is left out.
    The interval leaves out a tenth of the images at a time. Of more than 10,000 images 10,000 are drawn.

    Args:
        codes: posterior means; a lone latent leads by all that it predicts.
        factors: known numbers; kinds without an order are labels.
        factor_names: of the factors; numbers where it is empty.
        groups: which images belong together, such as those of one well; the interval is then over groups.
        value_alone: Whether interval, null and ceiling, which take most of the time, are not wanted.

    Raises:
        InputError: Codes, factors and groups do not go together, or a factor is no number.

    *Source*: Kumar et al. 2018, section 3 (https://arxiv.org/abs/1711.00848).

    >>> x, y = np.meshgrid(np.arange(10.0), np.arange(10.0))
    >>> grid = np.stack([x.ravel(), y.ravel()], axis=1)
    >>> [round(sap(z, grid)[0].value, 6) for z in (grid, grid @ [[1.0, 1.0], [1.0, -1.0]])]
    [1.0, 0.0]
    """
    known = truth(codes, factors, factor_names, groups)
    if known.reason:
        return known.nothing("R^2")

    def values(z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return whole_and_parts(gap(np.square(standardized(z).T @ standardized(y) / len(z))))

    return known.scores(values, part_names(known.names), "R^2", value_alone=value_alone)
