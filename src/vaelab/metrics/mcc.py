"""How far each factor is a latent of its own, up to order, sign and scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Factors, Groups
from vaelab.metrics._truth import standardized, truth


@metric(
    "Mean correlation coefficient",
    group="factors",
    order=20,
    better="higher",
    source="Khemakhem et al. 2020, https://arxiv.org/abs/1907.04809",
)
def mcc(
    codes: Codes,
    factors: Factors,
    factor_names: Sequence[str] = (),
    groups: Groups | None = None,
    value_alone: bool = False,
) -> list[Score]:
    """The mean correlation of factors with latents, each factor having the latent that suits all of them best.

        max over one-to-one maps m of  1/F sum over factors of |correlation of factor and latent m(factor)|

    Pearson's correlation, which is 1 where a latent is a factor times a number; as the part ``Spearman``, that of the
    ranks, which is 1 where it is bent but never turns back. Then comes each factor (Pearson). The map is found by the
    Hungarian method. With fewer latents than factors those without a latent count 0, which the ceiling says.

    A random latent correlates by chance, the more latents there are to choose from: the null is that of the same codes
    dealt to the images at random. The interval leaves out a tenth of the images at a time. Of more than 10,000 images
    10,000 are drawn. A factor that is the same for all images is left out.

    Args:
        codes: posterior means.
        factors: known numbers; kinds without an order are labels.
        factor_names: of the factors; numbers where it is empty.
        groups: which images belong together, such as those of one well; the interval is then over groups.
        value_alone: Whether interval, null and ceiling, which take most of the time, are not wanted.

    Raises:
        InputError: Codes, factors and groups do not go together, or a factor is no number.

    *Source*: Hyvarinen and Morioka 2016 (https://arxiv.org/abs/1605.06336); Khemakhem et al. 2020, section 5
    (https://arxiv.org/abs/1907.04809).

    >>> z = np.random.default_rng(0).normal(size=(500, 2))
    >>> [round(score.value, 6) for score in mcc(z, np.stack([-z[:, 1], np.exp(z[:, 0])], axis=1))[:2]]
    [0.908977, 1.0]
    """
    known = truth(codes, factors, factor_names, groups)
    if known.reason:
        return known.nothing("|correlation|")
    several = len(known.names) > 1

    def values(z: np.ndarray, y: np.ndarray, ranks_z: np.ndarray, ranks_y: np.ndarray) -> np.ndarray:
        matched = _matched(z, y)
        return np.array([matched.mean(), _matched(ranks_z, ranks_y).mean(), *(matched if several else ())])

    return known.scores(
        values,
        ["", "Spearman", *(known.names if several else ())],
        "|correlation|",
        prepare=lambda z, y: (z, y, rankdata(z, axis=0), rankdata(y, axis=0)),
        ceiling=min(1.0, known.codes.shape[1] / len(known.names)),
        value_alone=value_alone,
    )


def _matched(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(factor,): the absolute correlation with its latent; 0 without one."""
    found = np.abs(standardized(z).T @ standardized(y)) / len(z)
    latents, of = linear_sum_assignment(found, maximize=True)
    values = np.zeros(y.shape[1])
    values[of] = np.minimum(found[latents, of], 1.0)
    return values
