"""By how much one latent has more information on a factor than any other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.metrics._information import shares
from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Factors, Groups
from vaelab.metrics._truth import (
    binned_information,
    bins,
    entropies,
    gap,
    part_names,
    truth,
    values,
    whole_and_parts,
)

MOST_FOR_NEIGHBOURS = 2000


@metric(
    "Mutual information gap",
    group="factors",
    order=30,
    better="higher",
    source="Chen et al. 2018, https://arxiv.org/abs/1802.04942",
)
def mig(
    codes: Codes,
    factors: Factors,
    factor_names: Sequence[str] = (),
    groups: Groups | None = None,
    value_alone: bool = False,
) -> list[Score]:
    """By how much the best latent has more information on a factor than the second, as a share of the factor's entropy.

        1/F sum over factors of (I(best latent; factor) - I(second; factor)) / H(factor)

    As published: histograms of latents in 20 bins of equal width; factors by their values, or in 20 such bins where
    they have more. Of few images the information is too high, for all latents about alike: the gap is hardly touched.
    The part ``KSG`` estimates the information by nearest neighbours, without bins (Kraskov et al. 2004; for factors of
    20 values or fewer Ross 2014), from at most 2,000 images; no more than H counts, which is that of the bins.
    Then comes each factor, by histogram; one that is the same for all images is left out.

    The null is that of the same codes dealt to the images at random, the ceiling that of the factors in the codes'
    place: below 1 where factors depend on each other, as on a part of a grid. The interval leaves out a tenth of the
    images at a time. Of more than 10,000 images 10,000 are drawn.

    Args:
        codes: posterior means; a lone latent leads by all that it has.
        factors: known numbers.
        factor_names: of the factors; numbers where it is empty.
        groups: which images belong together, such as those of one well; the interval is then over groups.
        value_alone: Whether interval, null and ceiling, which take most of the time, are not wanted.

    Raises:
        InputError: Codes, factors and groups do not go together, or a factor is no number.

    *Source*: Chen et al. 2018, section 4.1 (https://arxiv.org/abs/1802.04942); bins: Locatello et al. 2019, appendix C.

    >>> x, y = np.meshgrid(np.arange(20.0), np.arange(20.0))
    >>> grid = np.stack([x.ravel(), y.ravel()], axis=1)
    >>> [round(score.value, 2) for score in mig(grid, grid, ("x", "y"))]
    [1.0, 1.0, 1.0, 1.0]
    """
    unit = "share of the entropy"
    known = truth(codes, factors, factor_names, groups)
    if known.reason:
        return known.nothing(unit)
    fewer = truth(codes, factors, factor_names, groups, most=MOST_FOR_NEIGHBOURS)
    whole, *each = known.scores(
        lambda z, y: whole_and_parts(gap(binned_information(z, y) / entropies(y))),
        part_names(known.names),
        unit,
        prepare=lambda z, y: (bins(z), values(y)),
        value_alone=value_alone,
    )
    most = entropies(values(fewer.factors))
    neighbours = fewer.scores(
        lambda of: np.array([gap(np.clip(np.nanmean(of, axis=0) / most, 0, 1)).mean()]),
        ["KSG"],
        unit,
        prepare=lambda z, y: (shares(z, y),),
        value_alone=value_alone,
    )
    return [whole, *neighbours, *each]
