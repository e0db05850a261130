"""How far each latent speaks of one factor alone."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Factors, Groups
from vaelab.metrics._truth import binned_information, bins, truth, values


@metric(
    "Modularity",
    group="factors",
    order=80,
    better="higher",
    source="Ridgeway and Mozer 2018, https://arxiv.org/abs/1802.05312",
)
def modularity(codes: Codes, factors: Factors, groups: Groups | None = None, value_alone: bool = False) -> list[Score]:
    """How far each latent has information on one factor and none on the others, in the mean over latents.

        1 - sum over the other factors of I(latent; factor)^2 / (I(latent; its best factor)^2 * (F - 1))

    Information is that of histograms: latents in 20 bins of equal width, factors by their values, or likewise where
    they have more than 20. It says nothing of how much is known: a latent of pure noise has an information by chance
    alone, which is as likely to be of one factor as of several; so the null is not 0. It is that of the same codes
    dealt to the images at random; the ceiling that of the factors in the codes' place. A constant latent is left out.
    The interval leaves out a tenth of the images at a time. Of more than 10,000 images 10,000 are drawn.

    Args:
        codes: posterior means.
        factors: known numbers, two or more that vary.
        groups: which images belong together, such as those of one well; the interval is then over groups.
        value_alone: Whether interval, null and ceiling, which take most of the time, are not wanted.

    Raises:
        InputError: Codes, factors and groups do not go together, or a factor is no number.

    *Source*: Ridgeway and Mozer 2018, section 3 (https://arxiv.org/abs/1802.05312).

    >>> x, y = np.meshgrid(np.arange(10.0), np.arange(10.0))
    >>> grid = np.stack([x.ravel(), y.ravel()], axis=1)
    >>> [round(modularity(z, grid)[0].value, 6) for z in (grid, grid @ [[1.0, 1.0], [1.0, -1.0]])]
    [1.0, 0.0]
    """
    known = truth(codes, factors, (), groups, fewest_factors=2, need_codes=True)
    if known.reason:
        return known.nothing("modularity")
    return known.scores(
        lambda z, y: np.array([_of(binned_information(z, y))]),
        [""],
        "modularity",
        prepare=lambda z, y: (bins(z), values(y)),
        value_alone=value_alone,
    )


def _of(information: np.ndarray) -> float:
    """From information (latent, factor)."""
    squares = np.square(information[information.max(1) > 1e-12])
    best = squares.max(1)
    return float((1 - (squares.sum(1) - best) / (best * (information.shape[1] - 1))).mean()) if len(best) else 0.0
